// What the shared table does when something around it is broken: a disk that hangs, a store that refuses,
// parts that nobody can read or delete. On the memory store, where each can be had at will.

import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { memoryEnsemble } from '../../src/cluster/coordination-memory.ts';
import type { Coordination } from '../../src/cluster/coordination.ts';
import type { Clock } from '../../src/daemon/clock.ts';
import { encodeTablePart } from '../../src/protocol/table-row.ts';
import { pause, until } from '../launch/until.ts';
import type { Replica } from './load-store-replica.ts';
import { startReplica } from './load-store-replica.ts';

const replicas: Replica[] = [];
afterAll(async () => {
  await Promise.all(replicas.map((one) => one.stop()));
});

function replica(...args: Parameters<typeof startReplica>): Replica {
  const one = startReplica(...args);
  replicas.push(one);
  return one;
}

/** A store that says no to `put` and `create` below a path; counts how often it had to. */
function refusing(inner: Coordination, below: string): { coordination: Coordination; asked: () => number } {
  let asked = 0;
  const refuse = (path: string): { ok: false; why: 'no-auth' } | undefined => {
    if (!path.startsWith(below)) return undefined;
    asked += 1;
    return { ok: false, why: 'no-auth' };
  };
  const coordination: Coordination = {
    ...inner,
    put: async (path, data, version) => refuse(path) ?? inner.put(path, data, version),
    create: async (path, data) => refuse(path) ?? inner.create(path, data),
  };
  return { coordination, asked: () => asked };
}

describe.concurrent('the shared table in trouble', () => {
  it('reaches the other Heralds while the disk of its own hangs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-hanging-'));
    const snapshotPath = join(folder, 'table.json');
    // To open a pipe that nobody reads hangs as a network disk does that is away.
    const pipe = `${snapshotPath}.${process.pid}.tmp`;
    execFileSync('mkfifo', [pipe]);
    const ensemble = memoryEnsemble();
    const a = replica(ensemble.connect(), 'a', { snapshotPath });
    const b = replica(ensemble.connect(), 'b');
    let seq = 0;
    for (const least of [1, 5, 9]) {
      const arrived = async (): Promise<boolean> => {
        a.report('gw-1', ++seq);
        return (b.row('gw-1')?.seq ?? 0) >= least;
      };
      await until(`report ${least} at the other Herald`, arrived, 8_000, 200);
    }
    createReadStream(pipe).resume();
    await until('the snapshot', () => a.store.state().snapshotHealthy);
    await a.stop();
    replicas.splice(replicas.indexOf(a), 1);
    rmSync(folder, { recursive: true });
  });

  it('asks a store that refuses it no more than once a second', async () => {
    const { coordination, asked } = refusing(memoryEnsemble().connect(), '/herald/test/table/');
    const a = replica(coordination, 'a');
    const stop = setInterval(() => a.report('gw-1', Math.round(performance.now())), 100);
    await until('the refusal to be told', () => a.store.state().problem?.includes('no-auth'), 8_000);
    const before = asked();
    await pause(2_500);
    clearInterval(stop);
    expect(asked() - before).toBeGreaterThan(0);
    expect(asked() - before).toBeLessThanOrEqual(3);
    expect(a.events.filter((event) => event.startsWith('table-not-shared'))).toHaveLength(1);
    expect(a.named()).toEqual(new Set(['gw-1']));
  });

  it('watches a table that it may not read once, and not anew at each try', async () => {
    const inner = memoryEnsemble().connect();
    const table = '/herald/test/table';
    let [tries, watches] = [0, 0];
    replica(
      {
        ...inner,
        async list(path) {
          if (path !== table) return inner.list(path);
          tries += 1;
          return { ok: false, why: 'no-auth' };
        },
        watchList(path, listener) {
          if (path === table) watches += 1;
          return inner.watchList(path, listener);
        },
      },
      'a',
    );
    await until('the third try', () => tries >= 3);
    expect(watches).toBe(1);
  });

  it('says that its own entry cannot take the place of what lies there, until it can', async () => {
    const ensemble = memoryEnsemble();
    const other = ensemble.connect();
    const inItsWay = '/herald/test/heralds/a/of-somebody';
    await other.put(inItsWay, '');
    const a = replica(ensemble.connect(), 'a');
    await until('the refusal', () => a.store.state().problem !== undefined);
    expect(a.store.state().problem).toBe('memory refuses the entry of this Herald: not-empty');
    await other.remove(inItsWay);
    await until('the entry', () => a.store.state().problem === undefined, 12_000);
  }, 20_000);

  it('says of a store that takes connections and answers no write that it is away', async () => {
    let jumpMs = 0;
    let hangs = true;
    const clock: Clock = { nowMs: () => performance.now() + jumpMs, epochMs: () => Date.now() };
    const inner = memoryEnsemble().connect();
    const put: Coordination['put'] = async (...what) =>
      hangs ? { ok: false, why: 'lost' } : inner.put(...what);
    const a = replica({ ...inner, put }, 'a', { clock });
    a.report('gw-1', 1);
    await until('some writes', () => a.coordination.snapshot().stateAgeMs > 500);
    expect(a.store.state().problem).toBeUndefined();
    jumpMs = 10_000;
    expect(a.store.state().problem).toMatch(/^memory has answered no write for 1\d s$/);
    hangs = false;
    await until('an answer', () => a.store.state().problem === undefined, 8_000);
  });

  it('keeps a wish that the store refuses, and does not hammer it', async () => {
    const { coordination, asked } = refusing(memoryEnsemble().connect(), '/herald/test/desired/');
    const a = replica(coordination, 'a');
    a.report('gw-1', 1);
    expect(await a.desired('gw-1', 'drain')).toBe(false);
    await pause(2_100);
    expect(asked()).toBeGreaterThan(1);
    expect(asked()).toBeLessThanOrEqual(6);
    a.report('gw-1', 2);
    expect(a.named()).toEqual(new Set());
  });

  it('deletes a part that nobody can read when its Herald is long gone, and nothing that is no part', async () => {
    let jumpMs = 0;
    const clock: Clock = { nowMs: () => performance.now() + jumpMs, epochMs: () => Date.now() };
    const ensemble = memoryEnsemble();
    const other = ensemble.connect();
    const table = '/herald/test/table';
    const part = encodeTablePart({ v: 1, heraldId: 'ghost', bootId: 'x', rows: [] });
    const tooMany = JSON.stringify({ v: 1, herald: 'ghost', boot: 'x', rows: Array(2_001).fill({}) });
    const folder = { 'ghost.0': part, 'ghost.1': '\u0000{', 'ghost.2': tooMany, notes: 'do not delete' };
    for (const [name, data] of Object.entries(folder)) await other.put(`${table}/${name}`, data);
    const a = replica(ensemble.connect(), 'a', { clock });
    await until('all parts seen', () => a.store.state().parts === 3);
    await until('the first rounds', () => a.coordination.snapshot().stateAgeMs > 2_500);
    jumpMs = 61_000;
    await until(
      'the deletion',
      async () => {
        const names = await other.list(table);
        return names.ok && !names.value.some((name) => name.startsWith('ghost'));
      },
      8_000,
    );
    expect(await other.get(`${table}/notes`)).toMatchObject({ ok: true });
    expect(a.events.filter((event) => event.startsWith('table-part-refused'))).toHaveLength(3);
  });

  it('says once that it may not delete an orphaned part', async () => {
    let jumpMs = 0;
    const clock: Clock = { nowMs: () => performance.now() + jumpMs, epochMs: () => Date.now() };
    const ensemble = memoryEnsemble();
    const other = ensemble.connect();
    const part = encodeTablePart({ v: 1, heraldId: 'ghost', bootId: 'x', rows: [] });
    await other.put('/herald/test/table/ghost.0', part);
    let tries = 0;
    const inner = ensemble.connect();
    const coordination: Coordination = {
      ...inner,
      remove: async (path, version) => {
        if (!path.endsWith('ghost.0')) return inner.remove(path, version);
        tries += 1;
        return { ok: false, why: 'no-auth' };
      },
    };
    const a = replica(coordination, 'a', { clock });
    await until('the first rounds', () => a.coordination.snapshot().stateAgeMs > 2_500);
    jumpMs = 61_000;
    await until('several tries', () => tries >= 3, 8_000);
    expect(a.events.filter((event) => event.includes('ghost.0'))).toEqual([
      'table-part-kept {"part":"ghost.0","why":"no-auth"}',
    ]);
  });
});
