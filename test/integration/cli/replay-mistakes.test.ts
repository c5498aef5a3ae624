// A recording that cannot be replayed as it is.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ended } from './run-herald.ts';
import { herald } from './run-herald.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a recording to replay', () => {
  const lookup = JSON.stringify({ t: 1, lookup: { pool: 'default' } });
  const replayed = (text: string): Promise<Ended> => {
    const file = join(folder, 'recording.ndjson');
    writeFileSync(file, text);
    return herald(['sim', '--replay', file, '--policy', 'expected', '-o', 'ndjson']);
  };

  it('may end in half a line, which is left out with a word of it', async () => {
    const { code, stdout, stderr } = await replayed(`${lookup}\n${lookup.slice(0, -9)}`);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ lookups: 1 });
    expect(stderr).toMatch(/recording\.ndjson:2: .*left out/);
  });

  it('is nothing for policies that know what no recording tells', async () => {
    const file = join(folder, 'recording.ndjson');
    writeFileSync(file, `${lookup}\n`);
    const { code, stdout, stderr } = await herald(['sim', '--replay', file, '--policy', 'oracle', 'p2c']);
    expect(stderr).toMatch(/^herald: --policy oracle: a recording does not tell/);
    expect([code, stdout]).toEqual([1, '']);
  });

  it('takes no option that it would not heed', async () => {
    const options = ['--scenario', 'steady', '--clients', '3250', '--chart', 'x.svg'];
    const { code, stdout, stderr } = await herald(['sim', '--replay', 'file', ...options]);
    expect(stderr).toBe('herald: --replay goes by its recording: leave out --scenario, --clients, --chart\n');
    expect([code, stdout]).toEqual([1, '']);
  });

  it.each([
    [`${lookup.slice(0, -9)}\n${lookup}\n`, ':1: '],
    ['no recording at all', ':1: '],
    [`${lookup}\n{"t":-1}\n`, ':2: t'],
  ])('that is broken elsewhere is refused: %j', async (text, where) => {
    const { code, stderr } = await replayed(text);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`recording.ndjson${where}`);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
