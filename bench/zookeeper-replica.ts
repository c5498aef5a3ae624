// One Herald of bench/zookeeper.ts as a process of its own: the real balancer fed with every gateway's
// reports, and one of three ways to share the table: `parts` (ours), `znodes` (one entry a gateway, each
// written at every report and watched by everyone), or `none`, whose cost is taken off the others'.

import type { Coordination } from '../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../src/cluster/coordination-zookeeper.ts';
import { watchEntries } from '../src/cluster/watch-entries.ts';
import { systemClock } from '../src/daemon/clock.ts';
import { silentLog } from '../src/daemon/log.ts';
import type { Balancer } from '../src/herald/core/balancer-types.ts';
import { createBalancer } from '../src/herald/core/balancer.ts';
import { startLoadStore } from '../src/herald/load-store/start-load-store.ts';
import type { TableRow } from '../src/protocol/table-row.ts';
import { decodeTablePart, encodeTablePart } from '../src/protocol/table-row.ts';

export type Way = 'none' | 'parts' | 'znodes';

export interface ReplicaOrder {
  way: Way;
  address: string;
  index: number;
  replicas: number;
  gateways: number;
}

export interface ReplicaCount {
  cpuMs: number;
  /** Rows written to the store, and rows read of other Heralds', since the start. */
  written: number;
  taken: number;
  rows: number;
}

const FEED_EVERY_MS = 20;

/** Runs until the parent lets go; answers each message with the counts so far. */
export function runReplica(order: ReplicaOrder): void {
  const id = `herald-${order.index}`;
  const core = createBalancer({ heraldId: id, random: Math.random });
  const count = { written: 0, taken: 0 };
  const balancer: Balancer = core;
  const coordination =
    order.way === 'none'
      ? undefined
      : zookeeperCoordination({ address: `${order.address}/${order.way}`, operationDeadlineMs: 5_000 });
  const onReport = coordination ? share(order, coordination, balancer, id, count) : (): void => {};
  feed(order.gateways, balancer, onReport);
  setInterval(() => balancer.tick(systemClock.nowMs()), 100);

  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const counts: ReplicaCount = { cpuMs: (user + system) / 1_000, ...count, rows: balancer.rows(0).length };
    process.send?.(counts);
  });
  process.on('disconnect', () => process.exit(0));
}

/** Every gateway reports once a second, spread evenly. */
function feed(gateways: number, balancer: Balancer, onReport: (gateway: number) => void): void {
  let sent = 0;
  const startMs = systemClock.nowMs();
  setInterval(() => {
    const nowMs = systemClock.nowMs();
    const due = Math.floor(((nowMs - startMs) * gateways) / 1_000);
    for (; sent < due; sent++) {
      const gateway = sent % gateways;
      balancer.report(
        {
          v: 1,
          kind: 'full',
          gateway: `gateway-${gateway}`,
          url: `wss://gateway-${gateway}.example.org:7410/ws`,
          bootId: 'a1b2c3d4',
          seq: Math.floor(sent / gateways) + 1,
          periodMs: 1_000,
          pool: 'default',
          zone: `zone-${gateway % 3}`,
          labels: {},
          capacity: 1,
          state: 'up',
          cpu: 0.3 + 0.3 * Math.random(),
          connections: 3_000 + (sent % 100),
          tickets: {},
        },
        nowMs,
      );
      onReport(gateway);
    }
  }, FEED_EVERY_MS);
}

function share(
  order: ReplicaOrder,
  coordination: Coordination,
  balancer: Balancer,
  id: string,
  count: { written: number; taken: number },
): (gateway: number) => void {
  if (order.way === 'parts') {
    startLoadStore({
      coordination: {
        ...coordination,
        watch(path, listener) {
          return coordination.watch(path, (entry) => {
            if (entry && path.includes('/table/')) count.taken += order.gateways / order.replicas;
            listener(entry);
          });
        },
      },
      balancer,
      cluster: 'bench',
      address: {
        id,
        control: `http://127.0.0.1:1/${id}`,
        public: '',
        admin: '',
        agent: '',
        startedEpochMs: 0,
      },
      bootId: String(process.pid),
      clock: systemClock,
      log: silentLog,
      snapshotPath: '',
      staleAfterMs: 2_000,
      onHeralds: () => {},
      onBrokers: () => {},
      // Home rows are spread evenly, and each of them has a new report each second.
      onWrite: (outcome) => (count.written += outcome === 'written' ? order.gateways / order.replicas : 0),
    });
    return () => {};
  }
  const take = (text: string): void => {
    const part = decodeTablePart(JSON.parse(text));
    if (part.ok && part.value.heraldId !== id) count.taken += 1;
    if (part.ok) balancer.mergeRows(part.value.rows, systemClock.nowMs());
  };
  watchEntries(coordination, '/table', { onEntry: (_, entry) => entry && take(entry.data) });
  const write = async (row: TableRow): Promise<void> => {
    const text = encodeTablePart({ v: 1, heraldId: id, bootId: '1', rows: [row] });
    const written = await coordination.put(`/table/${row.gateway}`, text);
    if (written.ok) count.written += 1;
  };
  return (gateway) => {
    // A third of the gateways is ours to write.
    if (gateway % order.replicas !== order.index) return;
    void write({
      gateway: `gateway-${gateway}`,
      url: `wss://gateway-${gateway}.example.org:7410/ws`,
      pool: 'default',
      zone: `zone-${gateway % 3}`,
      labels: {},
      capacity: 1,
      bootId: 'a1b2c3d4',
      seq: Math.floor(systemClock.nowMs()),
      state: 'up',
      periodMs: 1_000,
      ageMs: 0,
      reportedScore: 0.45,
      correctedScore: 0.45,
      costPerConnection: 0.00015,
      connections: 3_050,
      youngConnections: 0,
      maxConnections: 0,
    });
  };
}
