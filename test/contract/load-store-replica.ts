// One Herald's core and store without its listeners: the real balancer, the real load store, real time.

import type { Coordination } from '../../src/cluster/coordination.ts';
import { systemClock } from '../../src/daemon/clock.ts';
import type { Clock } from '../../src/daemon/clock.ts';
import type { Log, LogFields } from '../../src/daemon/log.ts';
import type { Balancer, Desired } from '../../src/herald/core/balancer-types.ts';
import { createBalancer } from '../../src/herald/core/balancer.ts';
import type { HeraldAddress } from '../../src/herald/load-store/herald-address.ts';
import type { LoadStore } from '../../src/herald/load-store/start-load-store.ts';
import { startLoadStore } from '../../src/herald/load-store/start-load-store.ts';
import type { BrokerAddress } from '../../src/protocol/broker-address.ts';
import type { LoadReport } from '../../src/protocol/load-report.ts';
import type { TableRow } from '../../src/protocol/table-row.ts';
import { aLookup, aReport } from '../unit/herald-core/given.ts';

export interface Replica {
  id: string;
  balancer: Balancer;
  store: LoadStore;
  coordination: Coordination;
  heralds: readonly HeraldAddress[];
  brokers: readonly BrokerAddress[];
  moverLease: boolean;
  events: string[];
  writes: Record<string, number>;
  report(gateway: string, seq: number, more?: Partial<LoadReport>): void;
  desired(gateway: string, state: Desired['state'], reason?: string, untilEpochMs?: number): Promise<boolean>;
  row(gateway: string): TableRow | undefined;
  /** Who a lookup names now, over many draws. */
  named(): Set<string>;
  stop(): Promise<void>;
}

export function startReplica(
  coordination: Coordination,
  id: string,
  more: { snapshotPath?: string; bootId?: string; clock?: Clock } = {},
): Replica {
  const clock = more.clock ?? systemClock;
  const nowMs = (): number => clock.nowMs();
  const core = createBalancer({ heraldId: id, random: Math.random });
  const events: string[] = [];
  const note = (event: string, fields?: LogFields): void => {
    events.push(`${event} ${JSON.stringify(fields ?? {})}`);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const balancer: Balancer = {
    ...core,
    setMoverLease(held) {
      replica.moverLease = held;
      core.setMoverLease(held);
    },
  };
  const replica = { id, balancer, coordination, events, moverLease: false } as unknown as Replica;
  replica.heralds = [];
  replica.brokers = [];
  replica.writes = {};
  replica.store = startLoadStore({
    coordination,
    balancer,
    cluster: 'test',
    address: {
      id,
      control: `http://127.0.0.1:7401/${id}`,
      public: `http://127.0.0.1:7400/${id}`,
      admin: '',
      agent: '',
      startedEpochMs: Date.now(),
    },
    bootId: more.bootId ?? `${id}-${Math.random().toString(36).slice(2)}`,
    clock,
    log,
    snapshotPath: more.snapshotPath ?? '',
    staleAfterMs: 2_000,
    onHeralds: (heralds) => (replica.heralds = heralds),
    onBrokers: (brokers) => (replica.brokers = brokers),
    onWrite: (outcome) => (replica.writes[outcome] = (replica.writes[outcome] ?? 0) + 1),
  });
  const ticking = setInterval(() => balancer.tick(nowMs()), 100);

  replica.report = (gateway, seq, fields = {}) => {
    balancer.report(aReport(gateway, { seq, ...fields }), nowMs());
  };
  replica.desired = (gateway, state, reason = 'test', untilEpochMs = 0) => {
    const desired: Desired = { state, reason, author: 'ann', untilEpochMs };
    balancer.setDesired(gateway, desired, nowMs());
    return replica.store.shareDesired(gateway, desired);
  };
  replica.row = (gateway) => balancer.rows(nowMs()).find((row) => row.gateway === gateway);
  replica.named = () => {
    const names = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const found = balancer.lookup(aLookup(), nowMs());
      if (found.ok) names.add(found.best.gateway);
    }
    return names;
  };
  replica.stop = async () => {
    clearInterval(ticking);
    await replica.store.close();
    await coordination.close();
  };
  return replica;
}
