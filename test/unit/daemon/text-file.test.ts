import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readTextFile } from '../../../src/daemon/text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'herald-text-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const MIB = 1024 * 1024;

function holding(text: string): string {
  const path = join(folder, 'file');
  writeFileSync(path, text);
  return path;
}

it.each(['', 'größe: 1\n', 'x'.repeat(MIB)])('reads a file whole', (text) => {
  expect(readTextFile(holding(text), 1)).toBe(text);
});

it('refuses what is larger, and what never ends', () => {
  expect(() => readTextFile(holding('x'.repeat(MIB + 1)), 1)).toThrow('holds more than 1 MB');
  expect(() => readTextFile('/dev/zero', 1)).toThrow('holds more than 1 MB');
});

it('says why it cannot read one', () => {
  expect(() => readTextFile(folder, 1)).toThrow('EISDIR');
  expect(() => readTextFile(join(folder, 'absent'), 1)).toThrow('ENOENT');
});
