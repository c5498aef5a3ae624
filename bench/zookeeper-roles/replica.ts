// One Herald of bench/zookeeper.ts as a process of its own: the real balancer fed with every gateway's reports,
// and the real store with all it does beside the table. What differs is the way the table is shared: `none`,
// whose cost is taken off the others', `parts` (ours), or `znodes` (one entry a gateway, each written at every
// report by one Herald and watched by the others).

import type { Coordination } from '../../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../../src/cluster/coordination-zookeeper.ts';
import { watchEntries } from '../../src/cluster/watch-entries.ts';
import { systemClock } from '../../src/daemon/clock.ts';
import { silentLog } from '../../src/daemon/log.ts';
import type { Balancer } from '../../src/herald/core/balancer-types.ts';
import { createBalancer } from '../../src/herald/core/balancer.ts';
import { startLoadStore } from '../../src/herald/load-store/start-load-store.ts';
import type { LoadReport } from '../../src/protocol/load-report.ts';
import { decodeTableNews } from '../../src/protocol/table-news.ts';
import { encodeTablePart } from '../../src/protocol/table-row.ts';

export type Way = 'none' | 'parts' | 'znodes';

export interface ReplicaOrder {
  way: Way;
  /** With a chroot. */
  address: string;
  index: number;
  replicas: number;
  gateways: number;
  /** Wall clock: when the first gateway sends its first report, to every Herald. */
  startEpochMs: number;
}

export interface ReplicaCount {
  cpuMs: number;
  /** Rows written to the store, and rows read of other Heralds', since the start. */
  written: number;
  read: number;
  rows: number;
}

type Counts = Pick<ReplicaCount, 'written' | 'read'>;

const FEED_EVERY_MS = 20;

/** Runs until the parent lets go; answers each message with the counts so far. */
export function runReplica(order: ReplicaOrder): void {
  const id = `herald-${order.index}`;
  const balancer = createBalancer({ heraldId: id, random: Math.random });
  const coordination = zookeeperCoordination({ address: order.address, operationDeadlineMs: 5_000 });
  const count: Counts = { written: 0, read: 0 };
  openStore(order, coordination, balancer, id, count);
  const onReport =
    order.way === 'znodes' ? shareEntries(order, coordination, balancer, id, count) : (): void => {};
  feed(order, balancer, onReport);
  setInterval(() => balancer.tick(systemClock.nowMs()), 100);

  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const counts: ReplicaCount = { cpuMs: (user + system) / 1_000, ...count, rows: balancer.rows(0).length };
    process.send?.(counts);
  });
  process.on('disconnect', () => process.exit(0));
}

/** Every gateway reports once a second, to all Heralds in the same moment; the gateways spread evenly. */
function feed(
  { gateways, startEpochMs }: ReplicaOrder,
  balancer: Balancer,
  onReport: (report: LoadReport) => void,
): void {
  let sent = 0;
  setInterval(() => {
    const nowMs = systemClock.nowMs();
    const due = Math.floor(((systemClock.epochMs() - startEpochMs) * gateways) / 1_000);
    for (; sent < due; sent++) {
      const gateway = sent % gateways;
      const report: LoadReport = {
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
      };
      balancer.report(report, nowMs);
      onReport(report);
    }
  }, FEED_EVERY_MS);
}

/** The store of a Herald; a balancer without rows has no table to share. */
function openStore(
  { way, gateways, replicas }: ReplicaOrder,
  coordination: Coordination,
  balancer: Balancer,
  id: string,
  count: Counts,
): void {
  // Home rows are spread evenly, and each of them has a new report each second.
  const rowsAPart = gateways / replicas;
  startLoadStore({
    coordination: {
      ...coordination,
      watch: (path, listener) =>
        coordination.watch(path, (entry) => {
          if (entry && path.includes('/table/')) count.read += rowsAPart;
          listener(entry);
        }),
    },
    balancer: way === 'parts' ? balancer : { ...balancer, rows: () => [] },
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
    onWrite: (outcome) => (count.written += outcome === 'written' ? rowsAPart : 0),
  });
}

/**
 * The other layout, written as well as ours: the same supervised client, the same row in the same text, read only as
 * far as it is news; nobody reads back what is his own to write.
 */
function shareEntries(
  { index, replicas }: ReplicaOrder,
  coordination: Coordination,
  balancer: Balancer,
  id: string,
  count: Counts,
): (report: LoadReport) => void {
  const isOwn = (gateway: string): boolean => Number(gateway.slice('gateway-'.length)) % replicas === index;
  watchEntries(coordination, '/table', {
    wanted: (gateway) => !isOwn(gateway),
    onEntry(_name, entry) {
      if (!entry) return;
      const part = decodeTableNews(entry.data, (gateway, bootId, seq) => {
        const mine = balancer.newest(gateway);
        return mine?.bootId !== bootId || mine.seq < seq;
      });
      count.read += 1;
      if (part.ok && part.value.rows.length > 0) balancer.mergeRows(part.value.rows, systemClock.nowMs());
    },
  });
  const write = async ({
    gateway,
    url,
    zone,
    bootId,
    seq,
    cpu = 0,
    connections = 0,
  }: LoadReport): Promise<void> => {
    const text = encodeTablePart({
      v: 1,
      heraldId: id,
      bootId: '1',
      rows: [
        {
          gateway,
          url,
          pool: 'default',
          zone,
          labels: {},
          capacity: 1,
          bootId,
          seq,
          state: 'up',
          periodMs: 1_000,
          ageMs: 0,
          reportedScore: cpu,
          correctedScore: cpu,
          costPerConnection: cpu / connections,
          connections,
          youngConnections: 0,
          maxConnections: 0,
        },
      ],
    });
    const written = await coordination.put(`/table/${gateway}`, text);
    if (written.ok) count.written += 1;
  };
  return (report) => void (isOwn(report.gateway) && write(report));
}
