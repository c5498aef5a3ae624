// The store of one Herald: shares its table, its operators' wishes and its own address with the other
// Heralds through coordination, holds the mover lease, and keeps a snapshot on disk. Everything here may
// fail without a lookup noticing.

import type { Coordination } from '../../cluster/coordination.ts';
import { watchBrokers } from '../../cluster/broker-registry.ts';
import { clusterPaths } from '../../cluster/paths.ts';
import type { Clock } from '../../daemon/clock.ts';
import { atMost, every } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { Balancer, Desired } from '../core/balancer-types.ts';
import { DesiredBoard } from './desired-board.ts';
import type { HeraldAddress } from './herald-address.ts';
import { encodeHeraldAddress } from './herald-address.ts';
import { watchHeralds } from './live-heralds.ts';
import { createMoverTurn } from './mover-turn.ts';
import { loadSnapshot, snapshotFile } from './snapshot-file.ts';
import { removeStaleTemporaries } from './stale-temporaries.ts';
import type { WriteOutcome } from './part-writer.ts';
import { createTableExchange } from './table-exchange.ts';

export interface LoadStoreOptions {
  coordination: Coordination;
  balancer: Balancer;
  cluster: string;
  address: HeraldAddress;
  /** Changes with each start of this Herald. */
  bootId: string;
  clock: Clock;
  log: Log;
  /** Empty = no snapshot. */
  snapshotPath: string;
  /** Age from which the balancer takes a row for stale; rows from disk are at least that old. */
  staleAfterMs: number;
  /** Every live Herald, this one included, sorted by id; after each change. */
  onHeralds: (heralds: readonly HeraldAddress[]) => void;
  onBrokers: (brokers: readonly BrokerAddress[]) => void;
  onWrite?: (outcome: WriteOutcome) => void;
}

export interface LoadStoreState {
  /** Why answers come from memory alone; undefined when all is well. */
  problem: string | undefined;
  /** Parts of other Heralds and of earlier runs in the store. */
  parts: number;
  /** `held`: this Herald may order moves right now; judged anew at every call, also after a sleep. */
  mover: { held: boolean; epoch: number };
  snapshotHealthy: boolean;
}

export interface LoadStore {
  state(): LoadStoreState;
  /** See DesiredBoard.share: the balancer has been told already. */
  shareDesired(gateway: string, desired: Desired): Promise<boolean>;
  /** A last write of the table and the snapshot, then the goodbye. Does not close the coordination. */
  close(): Promise<void>;
}

const STEP_MS = 100;
/** A little over a second, so that jitter never makes it more than one write a second. */
const WRITE_EVERY_MS = 1_000;
const WRITE_JITTER_MS = 50;
const WRITE_AGAIN_MS = 250;
const UNANSWERED_MS = 2_000;
/** What a goodbye waits for a disk. */
const LAST_SAVE_MS = 1_000;

export function startLoadStore(options: LoadStoreOptions): LoadStore {
  const { coordination, balancer, address, clock, log } = options;
  const paths = clusterPaths(options.cluster);
  let nextWriteMs = 0;
  let writing: Promise<void> = Promise.resolve();
  let saving: Promise<void> = Promise.resolve();
  let writeUnderWay = false;
  let closed = false;

  const registration = coordination.ephemeral(paths.herald(address.id), encodeHeraldAddress(address));
  const exchange = createTableExchange({
    coordination,
    balancer,
    paths,
    heraldId: address.id,
    bootId: options.bootId,
    clock,
    log,
    heralds: () => heralds.ids(),
    mayWrite: () => registration.state() !== 'contended',
    onWrite: options.onWrite ?? (() => {}),
    onReadable: () => (nextWriteMs = 0),
  });
  const board = new DesiredBoard({
    coordination,
    balancer,
    paths,
    clock,
    ownWrite: () => exchange.ownWrite(),
    log,
  });
  const mover = createMoverTurn(coordination, paths, address.id, clock);

  const disk = options.snapshotPath === '' ? undefined : snapshotFile(options.snapshotPath, address.id, log);
  if (disk) recall(options, board);
  const heralds = watchHeralds({ coordination, paths, own: address, onHeralds: options.onHeralds, log });
  const stopBrokers = watchBrokers(coordination, options.cluster, options.onBrokers, log);

  const onState = (): void => {
    if (coordination.state() === 'up') {
      exchange.storeUp();
      nextWriteMs = 0;
    } else {
      exchange.storeAway();
    }
  };
  const stopState = coordination.onState(onState);
  queueMicrotask(() => {
    if (!closed) onState();
  });

  let leaseTold = false;
  const tellLease = (): void => {
    const held = mover.held();
    if (held === leaseTold) return;
    leaseTold = held;
    balancer.setMoverLease(held);
  };

  const writeAll = async (): Promise<void> => {
    writeUnderWay = true;
    const rows = balancer.rows(clock.nowMs());
    // Nobody waits for the disk: one that hangs would keep the table from the other Heralds.
    if (disk) saving = disk.save({ rows, desired: board.all() });
    const written = await exchange.writeRound(rows);
    // A store that is just finding its quorum may lose a write: the next try need not wait a whole second.
    if (!written) nextWriteMs = Math.min(nextWriteMs, clock.nowMs() + WRITE_AGAIN_MS);
    writeUnderWay = false;
  };
  const step = (): void => {
    const nowMs = clock.nowMs();
    mover.step();
    tellLease();
    board.step(nowMs);
    if (nowMs < nextWriteMs || writeUnderWay) return;
    nextWriteMs = nowMs + WRITE_EVERY_MS + WRITE_JITTER_MS * Math.random();
    exchange.deleteOrphans();
    writing = writeAll();
  };
  const stopSteps = every(STEP_MS, step);

  const problem = (): string | undefined => {
    const { kind, state, stateAgeMs } = coordination.snapshot();
    if (state !== 'up') return `${kind} ${state} for ${Math.round(stateAgeMs / 1_000)} s`;
    // A server whose disk hangs takes a connection, and the next one when that is given up.
    const unansweredMs = exchange.unansweredMs();
    if (unansweredMs > UNANSWERED_MS) {
      return `${kind} has answered no write for ${Math.round(unansweredMs / 1_000)} s`;
    }
    const refusal = exchange.refusal();
    if (refusal !== undefined) return `${kind} refuses to share the table: ${refusal}`;
    const unlisted = registration.refusal();
    if (unlisted !== undefined) return `${kind} refuses the entry of this Herald: ${unlisted}`;
    if (registration.state() === 'contended') return `another process is registered as ${address.id}`;
    return undefined;
  };

  return {
    state: () => ({
      problem: problem(),
      parts: exchange.partCount(),
      mover: { held: mover.held(), epoch: mover.epoch() },
      snapshotHealthy: disk?.healthy() ?? true,
    }),
    shareDesired: (gateway, desired) => board.share(gateway, desired),
    async close() {
      if (closed) return;
      closed = true;
      stopSteps();
      await Promise.all([writing, atMost(LAST_SAVE_MS, saving)]);
      await writeAll();
      stopState();
      heralds.stop();
      stopBrokers();
      exchange.stop();
      board.stop();
      await Promise.all([mover.release(), registration.release(), atMost(LAST_SAVE_MS, saving)]);
      if (leaseTold) balancer.setMoverLease(false);
    },
  };
}

/** What was known before the restart. */
function recall(
  { snapshotPath, staleAfterMs, coordination, balancer, clock, log }: LoadStoreOptions,
  board: DesiredBoard,
): void {
  removeStaleTemporaries(snapshotPath, log);
  const found = loadSnapshot(snapshotPath, staleAfterMs, log);
  if (!found) return;
  log.info('snapshot-loaded', { gateways: found.rows.length, desired: found.desired.size });
  balancer.mergeRows(found.rows, clock.nowMs());
  // The embedded store starts empty: what was wanted before is wanted still.
  const embedded = coordination.snapshot().kind === 'memory';
  for (const [gateway, { desired, unshared }] of found.desired) {
    board.restore(gateway, { desired, unshared: unshared || embedded });
  }
}
