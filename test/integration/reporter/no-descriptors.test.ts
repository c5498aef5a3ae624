// A process that has used up its descriptors cannot ask the system about itself. It says so, and lives.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { Signals } from '../../../src/protocol/load-report.ts';
import { transpiled } from '../../launch/transpiled.ts';

it('reports all descriptors as used, and its memory as it was last known', async () => {
  const child = fork(transpiled(resolve(import.meta.dirname, 'no-descriptors-child.ts')));
  const exit = once(child, 'exit');
  const [{ before, now, seen }] = (await once(child, 'message')) as [
    { before: number; now: number; seen: Signals },
  ];
  expect(now).toBe(before);
  expect(seen.memory).toBeGreaterThan(0);
  expect(seen.descriptors).toBe(1);
  expect(await exit).toEqual([0, null]);
});
