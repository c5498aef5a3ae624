// The shared table, on memory and on a real ZooKeeper: who writes which row, and who believes whom.

import { expect, it } from 'vitest';
import type { Coordination } from '../../src/cluster/coordination.ts';
import type { Clock } from '../../src/daemon/clock.ts';
import type { TableRow } from '../../src/protocol/table-row.ts';
import { encodeTablePart } from '../../src/protocol/table-row.ts';
import { pause, until } from '../launch/until.ts';
import { startReplica } from './load-store-replica.ts';
import { onEachStore } from './load-store-rig.ts';

onEachStore('the shared table', ({ fresh, link, herald, heralds, parts, replicas }) => {
  it('shows a gateway that reports to one Herald at every Herald, with its true age', async () => {
    const [a, b, c] = await heralds('a', 'b', 'c');
    for (let gateway = 0; gateway < 6; gateway++) a!.report(`gw-${gateway}`, 1);
    const reportedMs = performance.now();
    // Those that b or c are home for wait until their home copy counts as old.
    await until(
      'all six everywhere',
      () => [b!, c!].every((one) => one.balancer.rows(0).length === 6),
      8_000,
    );
    const ageMs = performance.now() - reportedMs;
    for (const one of [b!, c!]) {
      const row = one.row('gw-0');
      expect(row).toMatchObject({ bootId: 'boot-1', seq: 1, url: 'ws://gw-0.test:7410/ws' });
      expect(Math.abs(row!.ageMs - ageMs)).toBeLessThan(300);
    }
  });

  it('writes each row once, at its home, when every Herald hears every gateway', async () => {
    const all = await heralds('a', 'b', 'c');
    const beat = async (rounds: number, firstSeq: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        for (const one of all) for (let g = 0; g < 30; g++) one.report(`gw-${g}`, firstSeq + round);
        await pause(250);
      }
    };
    await beat(14, 1);
    const written = await parts(all[0]!);
    const rows = [...written.values()].flat();
    expect(rows.length).toBe(30);
    expect(new Set(rows).size).toBe(30);
    expect(written.size).toBe(3);
  });

  it('cuts a large table into parts of at most 256 KB that another Herald reads in full', async () => {
    const [a] = await heralds('a');
    const labels = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label-${i}`, 'x'.repeat(20)]));
    for (let g = 0; g < 2_500; g++) a!.report(`gw-${g}`, 1, { labels });
    await until('all rows', async () => [...(await parts(a!)).values()].flat().length === 2_500, 15_000, 200);
    const names = await a!.coordination.list('/herald/test/table');
    for (const part of names.ok ? names.value : []) {
      const entry = await a!.coordination.get(`/herald/test/table/${part}`);
      expect(entry.ok && Buffer.byteLength(entry.value.data)).toBeLessThanOrEqual(256 * 1024);
    }
    expect(names.ok && names.value.length).toBeGreaterThan(3);
    const late = await herald('late');
    await until('all rows at the late one', () => late.balancer.rows(0).length === 2_500);
  });

  it('lets the newer report win and never goes back', async () => {
    const [a, b] = await heralds('a', 'b');
    a!.report('gw-1', 5, { cpu: 0.5 });
    b!.report('gw-1', 7, { cpu: 0.7 });
    await until('the newer one at a', () => a!.row('gw-1')?.seq === 7, 8_000);
    expect(b!.row('gw-1')?.seq).toBe(7);
  });

  it('takes a gateway that started again at its word, whatever its numbers were before', async () => {
    const [a, b] = await heralds('a', 'b');
    for (const one of [a!, b!]) one.report('gw-1', 90, { bootId: 'boot-1' });
    // It goes on reporting as every gateway does: of two boots the younger report wins, and ages are only
    // known to a round trip.
    let seq = 0;
    const newStart = async (): Promise<boolean> => {
      a!.report('gw-1', ++seq, { bootId: 'boot-2' });
      return b!.row('gw-1')?.bootId === 'boot-2';
    };
    await until('the new start at b', newStart, 8_000, 200);
    expect(b!.row('gw-1')?.seq).toBeLessThanOrEqual(seq);
    expect(seq).toBeLessThan(90);
    expect(a!.row('gw-1')?.bootId).toBe('boot-2');
  });

  it('deletes the parts of a Herald gone for a minute, and only in the version it saw', async () => {
    fresh();
    let jumpMs = 0;
    const clock: Clock = { nowMs: () => performance.now() + jumpMs, epochMs: () => Date.now() };
    const ghost = await link();
    await until('the ghost', () => ghost.coordination.state() === 'up');
    const part = (rows: TableRow[]) => encodeTablePart({ v: 1, heraldId: 'ghost', bootId: 'x', rows });
    await ghost.coordination.put('/herald/test/table/ghost.0', part([]));
    await ghost.coordination.put('/herald/test/table/ghost.1', part([]));
    const mine = await link();
    // Between the last look and the deletion, the ghost writes one of its parts again.
    const racing: Coordination = {
      ...mine.coordination,
      async remove(path, version) {
        if (path.endsWith('ghost.1')) await ghost.coordination.put(path, part([]));
        return mine.coordination.remove(path, version);
      },
    };
    const a = Object.assign(startReplica(racing, 'a', { clock }), mine);
    replicas.push(a);
    await until('both parts seen', () => a.store.state().parts === 2);
    expect((await parts(ghost)).size).toBe(2);
    // Its absence is noted in the first round, each second; then a minute passes at once.
    await until('the first rounds', () => a.coordination.snapshot().stateAgeMs > 2_500);
    jumpMs = 61_000;
    await until('the deletion', async () => !(await parts(ghost)).has('ghost.0'), 8_000);
    await until('the refusal', () => a.events.filter((e) => e.includes('ghost.1')).length > 0);
    expect([...(await parts(ghost)).keys()]).toEqual(['ghost.1']);
  });

  it('serves at a Herald started later from what the others wrote, within a second', async () => {
    const [a] = await heralds('a');
    for (let g = 0; g < 5; g++) a!.report(`gw-${g}`, 1);
    await until('the part', async () => [...(await parts(a!)).values()].flat().length === 5);
    for (let g = 0; g < 5; g++) a!.report(`gw-${g}`, 2);
    const startMs = performance.now();
    const late = await herald('late');
    await until('a named gateway', () => late.named().size > 0);
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });
});
