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

/** A board on a store whose clock the test sets, and an operator at a shell of that store. */
async function aBoard() {
  const at = { nowMs: 0, storeMs: 1_000_000 };
  const ensemble = memoryEnsemble({ epochMs: () => at.storeMs });
  const [operator, herald] = [ensemble.connect(), ensemble.connect()];
  const paths = clusterPaths('test');
  const logged: string[] = [];
  let ownWrite: OwnWrite | undefined;
  const measure = async (): Promise<void> => {
    const stamp = await herald.put(paths.clock, 'h');
    if (stamp.ok) ownWrite = { ...stamp.value, sentAtMs: at.nowMs, roundTripMs: 1 };
  };
  await measure();
  const board = new DesiredBoard({
    coordination: herald,
    balancer: aBalancer(),
    paths,
    clock: { nowMs: () => at.nowMs, epochMs: () => at.storeMs },
    ownWrite: () => ownWrite,
    log: { ...silentLog, warn: (event) => void logged.push(event) },
  });
  return {
    at,
    board,
    entry: paths.desiredOf('gw-1'),
    herald,
    logged,
    measure,
    operator,
    settled: async () => {
      for (let i = 0; i < 20; i++) await nextTurn();
    },
    state: () => board.all().get('gw-1')?.desired.state,
    drain: (forMs: number) => {
      const desired = { state: 'drain', reason: '', author: 'a', untilEpochMs: at.storeMs + forMs } as const;
      return encodeDesired({ desired, forMs });
    },
  };
}

it('a drain for half an hour does not end when the clock of the store is set an hour on', async () => {
  const { at, board, drain, entry, herald, measure, operator, settled, state } = await aBoard();
  await operator.create(entry, drain(HOUR_MS / 2));
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

it('leaves an entry alone that it cannot read when the wish of before lapses, and does not say so again and again', async () => {
  const { at, board, drain, entry, logged, operator, settled, state } = await aBoard();
  await operator.create(entry, drain(HOUR_MS));
  await settled();
  await operator.put(entry, 'drain, please');
  await settled();
  expect(state()).toBe('drain');
  for (const afterMs of [HOUR_MS, HOUR_MS + 1_000, HOUR_MS + 2_000]) {
    board.step((at.nowMs = afterMs));
    await settled();
  }
  expect(state()).toBe('up');
  expect(logged).toEqual(['desired-entry-refused', 'desired-entry-refused']);
  expect(await operator.get(entry)).toMatchObject({ value: { data: 'drain, please' } });
  board.stop();
});
