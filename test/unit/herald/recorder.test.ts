import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import { createRecorder } from '../../../src/herald/recording/recorder.ts';
import { aLookup } from '../herald-core/given.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-recorder-'));
  path = join(folder, 'traffic.ndjson');
});
afterEach(() => rm(folder, { recursive: true }));

async function recorded(maxBytes: number, lookups: number): Promise<string> {
  const recorder = createRecorder(path, maxBytes, 0, silentLog);
  for (let i = 0; i < lookups; i++) recorder.lookup(aLookup(), i);
  await recorder.close();
  return readFile(path, 'utf8');
}

it('counts what earlier starts wrote to the file against its bound', async () => {
  const first = await recorded(2_000, 100);
  expect(first.length).toBeLessThanOrEqual(2_000);
  expect(await recorded(2_000, 100)).toBe(first);
});

it('takes half a line, left by a Herald that was killed, off the file before it appends', async () => {
  const whole = '{"t":1,"lookup":{}}\n';
  await writeFile(path, `${whole}{"t":2,"look`);
  const lines = (await recorded(2_000, 1)).trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines.map((line) => (JSON.parse(line) as { t: number }).t)).toEqual([1, 0]);
});

it('ends the recording, not the daemon, where nothing can be written, and says so', async () => {
  const recorder = createRecorder(folder, 2_000, 0, silentLog);
  await expect.poll(() => recorder.trouble()).toMatch(/^the recording has ended: EISDIR/);
  await expect(recorder.close()).resolves.toBeUndefined();
});
