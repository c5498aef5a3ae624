// What a killed Herald left beside its snapshot goes at the next start, and nothing else does.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryCoordination } from '../../../src/cluster/coordination-memory.ts';
import { systemClock } from '../../../src/daemon/clock.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { createBalancer } from '../../../src/herald/core/balancer.ts';
import { removeStaleTemporaries, temporaryOf } from '../../../src/herald/load-store/stale-temporaries.ts';
import { startLoadStore } from '../../../src/herald/load-store/start-load-store.ts';

/** Of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

describe('what a killed Herald left beside its snapshot', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'herald-temporaries-'));
    path = join(folder, 'table.json');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is removed, and nothing else', () => {
    const dead = deadPid();
    const kept = [
      'table.json',
      `table.json.${process.pid}.tmp`,
      `table.json.${process.ppid}.tmp`,
      `other.json.${dead}.tmp`,
      `table.json.${dead}.tmp.old`,
      `table.json.${dead}`,
      'table.json.tmp',
      'table.json..tmp',
      'table.json.-1.tmp',
      'table.json.0.tmp',
      `table.json.x${dead}.tmp`,
      `table.json.99999999999.tmp`,
    ].sort();
    for (const name of kept) writeFileSync(join(folder, name), name);
    writeFileSync(temporaryOf(path, dead), 'half');
    removeStaleTemporaries(path, silentLog);
    expect(readdirSync(folder).sort()).toEqual(kept);
  });

  it('is kept and told when it cannot be removed, and a folder that is not there is no trouble', () => {
    const events: string[] = [];
    const note = (event: string): void => void events.push(event);
    const log = { debug: note, info: note, warn: note, error: note };
    mkdirSync(temporaryOf(path, deadPid()));
    removeStaleTemporaries(path, log);
    removeStaleTemporaries(join(folder, 'gone', 'table.json'), log);
    expect(events).toEqual(['snapshot-temporary-kept']);
  });

  it('goes as the next Herald starts', async () => {
    const stale = temporaryOf(path, deadPid());
    writeFileSync(stale, '{"v":1,"desired":{},"par');
    const coordination = memoryCoordination({
      nowMs: () => systemClock.nowMs(),
      epochMs: () => systemClock.epochMs(),
      log: silentLog,
    });
    const store = startLoadStore({
      coordination,
      balancer: createBalancer({ heraldId: 'a', random: Math.random }),
      cluster: 'test',
      address: { id: 'a', control: '', public: '', admin: '', agent: '', startedEpochMs: 0 },
      bootId: 'b',
      clock: systemClock,
      log: silentLog,
      snapshotPath: path,
      staleAfterMs: 2_000,
      onHeralds: () => {},
      onBrokers: () => {},
    });
    await store.close();
    await coordination.close();
    expect(readdirSync(folder)).toEqual(['table.json']);
  });
});
