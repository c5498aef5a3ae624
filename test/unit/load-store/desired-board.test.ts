// When shared wishes end: by the store's clock, which may be set.

import { expect, it } from 'vitest';
import { memoryEnsemble } from '../../../src/cluster/coordination-memory.ts';
import { clusterPaths } from '../../../src/cluster/paths.ts';
import { nextTurn } from '../../../src/daemon/clock.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { DesiredBoard } from '../../../src/herald/load-store/desired-board.ts';
import { encodeDesired } from '../../../src/herald/load-store/desired-entry.ts';
import type { OwnWrite } from '../../../src/herald/load-store/store-time.ts';
import { aBalancer } from '../herald-core/given.ts';

const HOUR_MS = 3_600_000;

it('a drain for half an hour does not end when the clock of the store is set an hour on', async () => {
  const at = { nowMs: 0, storeMs: 1_000_000 };
  const ensemble = memoryEnsemble({ epochMs: () => at.storeMs });
  const [operator, herald] = [ensemble.connect(), ensemble.connect()];
  const paths = clusterPaths('test');
  let ownWrite: OwnWrite | undefined;
  const measure = async (): Promise<void> => {
    const stamp = await herald.put(paths.clock, 'h');
    if (stamp.ok) ownWrite = { ...stamp.value, sentAtMs: at.nowMs, roundTripMs: 1 };
  };
  await measure();
  const balancer = aBalancer();
  const board = new DesiredBoard({
    coordination: herald,
    balancer,
    paths,
    clock: { nowMs: () => at.nowMs, epochMs: () => at.storeMs },
    ownWrite: () => ownWrite,
    log: silentLog,
  });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await nextTurn();
  };
  const state = (): string | undefined => board.all().get('gw-1')?.desired.state;
  const desired = {
    state: 'drain',
    reason: '',
    author: 'a',
    untilEpochMs: at.storeMs + HOUR_MS / 2,
  } as const;
  await operator.create(paths.desiredOf('gw-1'), encodeDesired({ desired, forMs: HOUR_MS / 2 }));
  await settled();
  expect(state()).toBe('drain');

  at.storeMs += HOUR_MS;
  await measure();
  herald.goAway();
  herald.comeBack();
  await settled();
  board.step((at.nowMs = 60_000));
  expect(state()).toBe('drain');
  board.step((at.nowMs = HOUR_MS / 2));
  expect(state()).toBe('up');
  board.stop();
});
