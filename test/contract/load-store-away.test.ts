// What a Herald does while the store is away and when it is back, on memory and on a real ZooKeeper.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pause, until } from '../launch/until.ts';
import { startReplica } from './load-store-replica.ts';
import { onEachStore } from './load-store-rig.ts';

onEachStore('a Herald whose store is away', ({ fresh, link, herald, heralds, replicas }) => {
  it('skips writes while the store is away, and writes everything once on its return', async () => {
    const [a, b] = await heralds('a', 'b');
    a!.report('gw-1', 1);
    await until(
      'the first write',
      () => (a!.writes['written'] ?? 0) + (b!.writes['written'] ?? 0) > 0,
      5_000,
    );
    a!.cut();
    await until('a to notice', () => a!.store.state().problem !== undefined);
    const before = a!.writes['written'] ?? 0;
    for (let seq = 2; seq < 12; seq++) {
      a!.report('gw-1', seq);
      await pause(150);
    }
    expect(a!.writes['written'] ?? 0).toBe(before);
    expect(a!.writes['skipped'] ?? 0).toBeGreaterThan(0);
    expect(a!.named()).toEqual(new Set(['gw-1']));
    a!.mend();
    const mendedMs = performance.now();
    await until('a to be back', () => a!.store.state().problem === undefined);
    expect(performance.now() - mendedMs).toBeLessThan(2_000);
    await until('its row at b', () => b!.row('gw-1')?.seq === 11, 8_000);
    expect((a!.writes['written'] ?? 0) - before).toBe(1);
  });

  it('answers after a restart with no store in reach from its snapshot, marked stale', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'herald-snapshot-'));
    const snapshotPath = join(folder, 'table.json');
    fresh();
    const first = await herald('a', snapshotPath);
    for (let g = 0; g < 4; g++) first.report(`gw-${g}`, 1);
    await first.desired('gw-3', 'drain', 'kept');
    await first.stop();
    replicas.splice(0);

    const cutOff = await link();
    cutOff.cut();
    const again = startReplica(cutOff.coordination, 'a', { snapshotPath });
    const rows = again.balancer.rows(performance.now());
    expect(rows.map(({ gateway }) => gateway).sort()).toEqual(['gw-0', 'gw-1', 'gw-2', 'gw-3']);
    for (const row of rows) expect(row.ageMs).toBeGreaterThan(2_000);
    const states = again.balancer
      .snapshot(performance.now())
      .gateways.map(({ gateway, effectiveState }) => `${gateway} ${effectiveState}`);
    expect(states.sort()).toEqual(['gw-0 stale', 'gw-1 stale', 'gw-2 stale', 'gw-3 drain']);
    // All went silent at once, so the table freezes and the last good one is served, without the drained.
    await until('frozen answers', () => again.named().size > 0);
    expect(again.named()).not.toContain('gw-3');
    await again.stop();
    rmSync(folder, { recursive: true });
  });
});
