// The snapshot on a real file system: whole or absent, stale when read, and quiet about a broken disk.

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../../src/daemon/log.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { loadSnapshot, snapshotFile } from '../../../src/herald/load-store/snapshot-file.ts';
import { row } from './rows.ts';

describe('snapshot file', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'herald-snapshot-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const drain = { state: 'drain' as const, reason: 'disk', author: 'ann', untilEpochMs: 77 };
  const eventsOf = (): { events: string[]; log: Log } => {
    const events: string[] = [];
    const note = (event: string): void => void events.push(event);
    return { events, log: { debug: note, info: note, warn: note, error: note } };
  };

  it('gives back rows, marked stale, and wishes, with whether the store has them', async () => {
    const path = join(folder, 'table.json');
    const rows = [row('a', { ageMs: 100 }), row('b', { periodMs: 10_000 }), row('c', { ageMs: 9_000 })];
    const desired = new Map([
      ['a', { desired: drain, unshared: true }],
      ['z', { desired: { ...drain, state: 'maint' as const }, unshared: false }],
    ]);
    await snapshotFile(path, 'h', silentLog).save({ rows, desired });
    const found = loadSnapshot(path, 2_000, silentLog)!;
    expect(found.rows.map(({ gateway, ageMs }) => [gateway, ageMs])).toEqual([
      ['a', 2_001],
      ['b', 40_001],
      ['c', 9_001],
    ]);
    expect(found.desired).toEqual(desired);
    expect(readdirSync(folder)).toEqual(['table.json']);
  });

  it('holds more rows than one part may', async () => {
    const path = join(folder, 'table.json');
    const rows = Array.from({ length: 4_500 }, (_, i) => row(`gw-${i}`));
    await snapshotFile(path, 'h', silentLog).save({ rows, desired: new Map() });
    expect(loadSnapshot(path, 2_000, silentLog)?.rows.length).toBe(4_500);
  });

  it('is not written again while nothing but ages changed', async () => {
    const path = join(folder, 'table.json');
    const file = snapshotFile(path, 'h', silentLog);
    await file.save({ rows: [row('a')], desired: new Map() });
    const before = readFileSync(path, 'utf8');
    await file.save({ rows: [row('a', { ageMs: 500 })], desired: new Map() });
    expect(readFileSync(path, 'utf8')).toBe(before);
    await file.save({ rows: [row('a', { seq: 2 })], desired: new Map() });
    expect(readFileSync(path, 'utf8')).not.toBe(before);
  });

  it('tells of a broken disk once, and once when it works again', async () => {
    const path = join(folder, 'gone', 'table.json');
    const { events, log } = eventsOf();
    const file = snapshotFile(path, 'h', log);
    for (let seq = 1; seq < 5; seq++) await file.save({ rows: [row('a', { seq })], desired: new Map() });
    expect(events).toEqual(['snapshot-file-failed']);
    expect(file.healthy()).toBe(false);
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(folder, 'gone'));
    await file.save({ rows: [row('a', { seq: 9 })], desired: new Map() });
    expect(events).toEqual(['snapshot-file-failed', 'snapshot-file-written-again']);
    expect(file.healthy()).toBe(true);
  });

  it('tells of a disk that hangs, and once when it goes on', async () => {
    const path = join(folder, 'table.json');
    const pipe = `${path}.${process.pid}.tmp`;
    execFileSync('mkfifo', [pipe]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { events, log } = eventsOf();
    const file = snapshotFile(path, 'h', log);
    const saved = file.save({ rows: [row('a')], desired: new Map() });
    vi.advanceTimersByTime(4_900);
    expect(file.healthy()).toBe(true);
    vi.advanceTimersByTime(200);
    vi.useRealTimers();
    expect(file.healthy()).toBe(false);
    createReadStream(pipe).resume();
    await saved;
    expect(events).toEqual(['snapshot-file-failed', 'snapshot-file-written-again']);
    expect(file.healthy()).toBe(true);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"v":1,"parts":[{"v":1}],"desired":[]}',
    '{"parts":7,"desired":{"a":{"state":"x"}}}',
    '\u0000',
  ])('reads %j without harm', (text) => {
    const path = join(folder, 'table.json');
    writeFileSync(path, text);
    const found = loadSnapshot(path, 2_000, silentLog);
    expect(found?.rows ?? []).toEqual([]);
    expect(found?.desired.size ?? 0).toBe(0);
  });

  it('is absent in silence on the first start', () => {
    const { events, log } = eventsOf();
    expect(loadSnapshot(join(folder, 'none.json'), 2_000, log)).toBeUndefined();
    expect(events).toEqual([]);
  });
});
