// A program of a few lines, which has nothing to live for but its publisher.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { transpiled } from '../../launch/transpiled.ts';

it('a program lives until it knows what became of its message, and then ends', () => {
  const script = transpiled(resolve(import.meta.dirname, 'short-program-child.ts'));
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe('timeout\nclosed\n');
});
