// Opens the shared store of one Herald by config, and waits a moment for it: a Herald that knows what
// operators want before it answers HAProxy need not take anything back.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryCoordination } from '../cluster/coordination-memory.ts';
import { zookeeperCoordination } from '../cluster/coordination-zookeeper.ts';
import type { Coordination } from '../cluster/coordination.ts';
import type { Clock } from '../daemon/clock.ts';
import { atMost } from '../daemon/clock.ts';
import { StartError } from '../daemon/lifecycle.ts';
import type { Log } from '../daemon/log.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { Balancer } from './core/balancer-types.ts';
import type { HeraldConfig } from './config/herald-options.ts';
import type { HeraldMeters } from './status/herald-meters.ts';
import type { HeraldAddress } from './load-store/herald-address.ts';
import type { LoadStore } from './load-store/start-load-store.ts';
import { startLoadStore } from './load-store/start-load-store.ts';

export interface HeraldStoreParts {
  config: HeraldConfig;
  address: HeraldAddress;
  balancer: Balancer;
  meters: HeraldMeters;
  clock: Clock;
  log: Log;
  onHeralds: (heralds: readonly HeraldAddress[]) => void;
  onBrokers: (brokers: readonly BrokerAddress[]) => void;
}

export interface HeraldStore extends Pick<LoadStore, 'shareDesired' | 'state'> {
  /** Ends within `CLOSE_AT_MOST_MS`, also when the store is silent. */
  close(): Promise<void>;
}

/** A store that is not there by then is joined later; lookups do not wait for it. */
const FIRST_SESSION_MS = 700;
/** From the session to the entries that were watched for. */
const FIRST_ENTRIES_MS = 100;
const POLL_MS = 10;
const CLOSE_AT_MOST_MS = 2_500;

export async function openHeraldStore(parts: HeraldStoreParts): Promise<HeraldStore> {
  const { config, address, balancer, meters, clock, log } = parts;
  const coordination = openCoordination(config, clock, log);
  const store = startLoadStore({
    coordination,
    balancer,
    cluster: config.cluster,
    address,
    bootId: randomBytes(8).toString('hex'),
    clock,
    log,
    snapshotPath: config.snapshotFile,
    staleAfterMs: config.staleAfterMs,
    onHeralds: parts.onHeralds,
    onBrokers: parts.onBrokers,
    onWrite: (outcome) => meters.storeWrite(outcome),
  });
  await firstSession(coordination, clock);
  return {
    shareDesired: (gateway, desired) => store.shareDesired(gateway, desired),
    state: () => store.state(),
    close: () =>
      atMost(
        CLOSE_AT_MOST_MS,
        store.close().then(() => coordination.close()),
      ),
  };
}

function openCoordination(config: HeraldConfig, clock: Clock, log: Log): Coordination {
  if (config.store === 'memory' || (config.store === 'auto' && config.zookeeper === '')) {
    return memoryCoordination({ nowMs: () => clock.nowMs(), epochMs: () => clock.epochMs(), log });
  }
  if (config.zookeeper === '') throw new StartError('--store zookeeper needs --zookeeper host:port');
  return zookeeperCoordination({
    address: config.zookeeper,
    sessionTimeoutMs: config.zookeeperSessionTimeoutMs,
    digest: config.zookeeperAuth,
    nowMs: () => clock.nowMs(),
    log,
  });
}

async function firstSession(coordination: Coordination, clock: Clock): Promise<void> {
  if (coordination.snapshot().kind === 'memory') return;
  const endMs = clock.nowMs() + FIRST_SESSION_MS;
  while (coordination.state() !== 'up' && clock.nowMs() < endMs) await sleep(POLL_MS);
  if (coordination.state() === 'up') await sleep(FIRST_ENTRIES_MS);
}
