// Two that both think they move connections: one is cut off without knowing, the other has taken the lease,
// both write at the same time. The fence refuses the older one, every time, in whatever order they come.

import { zookeeperCoordination } from '../../../../src/cluster/coordination-zookeeper.ts';
import type { Coordination, Lease } from '../../../../src/cluster/coordination.ts';
import type { TcpProxy } from '../../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../../launch/tcp-proxy.ts';
import { until } from '../../../launch/until.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { Effort, Row } from '../row.ts';

const LEASE = '/faults-lease/mover';
const TARGET = '/faults-lease/round';
const SEEN = '/faults-lease/seen';
const TRIES = 200;
const EXPIRY_TIMEOUT_MS = 1_500;

interface Candidate {
  name: string;
  proxy: TcpProxy;
  coordination: Coordination;
  lease: Lease;
}

export const twoMovers: Row = {
  title: 'two that both think they move connections',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { oracle } = field;
    await field.settle();
    const both = findingOf(oracle, {
      fault: 'two movers, neither knows of the other',
      measured: 'one write, refused or done',
      limitMs: Infinity,
    });
    await withCandidates(field, 10_000, (candidates) => bothBelieve(field, candidates, both));
    const expired = findingOf(oracle, {
      fault: 'mover cut off until its session expires',
      measured: 'lease at another after the cut',
      limitMs: Infinity,
    });
    await withCandidates(field, EXPIRY_TIMEOUT_MS, async (candidates) => {
      for (let time = 0; time < effort.times(20, 1); time++) await untilExpiry(field, candidates, expired);
    });
    return [both.end(), expired.end()];
  },
};

/** The holder's network falls silent and its lease is deleted, so that it goes on believing. */
async function bothBelieve(
  field: Field,
  candidates: readonly Candidate[],
  finding: FindingBook,
): Promise<void> {
  const { observer, oracle } = field;
  let refused = 0;
  oracle.fault(`${TRIES} pairs of movers`);
  for (let time = 0; time < TRIES; time++) {
    finding.again();
    const old = await holderOf(candidates);
    const young = candidates.find((one) => one !== old)!;
    old.proxy.freeze();
    await observer.remove(LEASE);
    await until('the other to hold the lease', () => young.lease.held(), 10_000, 2);
    finding.must(old.lease.held(), `try ${time}: the old mover knew already, so nothing was tried`);
    const startMs = performance.now();
    const oldEpoch = old.lease.epoch();
    const text = (who: Candidate): string => JSON.stringify({ time, by: who.name, epoch: who.lease.epoch() });
    const oldText = text(old);
    const youngText = text(young);
    // Half of the tries the old mover's write comes first at the server, half of them second.
    const oldWrite = old.lease.put(TARGET, oldText);
    if (time % 2 === 0) old.proxy.thaw();
    const youngWrite = young.lease.put(TARGET, youngText);
    const [young1] = await Promise.all([youngWrite, time % 2 === 0 ? oldWrite : undefined]);
    if (time % 2 === 1) old.proxy.thaw();
    const old1 = await oldWrite;
    finding.took(startMs, performance.now() - startMs);
    // A read alone may come from a server that lags; after a write of its own the observer sees all before it.
    await observer.put(SEEN, String(time));
    const found = await observer.get(TARGET);
    if (!old1.ok && old1.why === 'fenced') refused += 1;
    else
      finding.breach(`try ${time}: the older epoch ${oldEpoch} got ${old1.ok ? 'its write done' : old1.why}`);
    finding.must(young1.ok, `try ${time}: the newer one was refused: ${young1.ok ? '' : young1.why}`);
    finding.must(found.ok && found.value.data === youngText, `try ${time}: the entry is not the newer one's`);
    finding.must(
      young.lease.epoch() > oldEpoch,
      `try ${time}: epoch ${young.lease.epoch()} does not follow ${oldEpoch}`,
    );
    await until('the old one to know', () => !old.lease.held(), 10_000, 2);
  }
  finding.note(`${refused} of ${TRIES} refused by the fence`);
}

/** The lease passes by expiry alone: then the old holder must know before the new one begins. */
async function untilExpiry(
  field: Field,
  candidates: readonly Candidate[],
  finding: FindingBook,
): Promise<void> {
  const old = await holderOf(candidates);
  const young = candidates.find((one) => one !== old)!;
  const cutMs = field.oracle.fault(`${old.name} cut off with the lease`);
  finding.again();
  const oldEpoch = old.lease.epoch();
  old.proxy.freeze();
  await until('the lease to pass', () => young.lease.held(), 30_000, 1);
  finding.must(!old.lease.held(), 'both held the lease at once');
  finding.took(cutMs, performance.now() - cutMs);
  finding.must(young.lease.epoch() > oldEpoch, 'the epoch did not grow');
  old.proxy.dropConnections();
  old.proxy.thaw();
  const late = await old.lease.put(TARGET, 'late');
  finding.must(!late.ok, 'a write of the old epoch was accepted');
  await until('the old one to be back', () => old.coordination.state() === 'up', 20_000, 5);
}

async function holderOf(candidates: readonly Candidate[]): Promise<Candidate> {
  return until('a holder', () => candidates.find(({ lease }) => lease.held()), 30_000, 2);
}

async function withCandidates(
  field: Field,
  sessionTimeoutMs: number,
  use: (candidates: readonly Candidate[]) => Promise<void>,
): Promise<void> {
  const candidates = await Promise.all(
    ['first', 'second'].map(async (name, i): Promise<Candidate> => {
      const proxy = await startTcpProxy(field.ensemble.servers[i]!.port);
      const coordination = zookeeperCoordination({ address: proxy.address, sessionTimeoutMs });
      await until(`${name} at ZooKeeper`, () => coordination.state() === 'up', 20_000);
      return { name, proxy, coordination, lease: coordination.lease(LEASE, name) };
    }),
  );
  try {
    await use(candidates);
  } finally {
    for (const { proxy } of candidates) proxy.thaw();
    await Promise.all(candidates.map(({ coordination }) => coordination.close()));
    await Promise.all(candidates.map(({ proxy }) => proxy.close()));
    await field.observer.remove(LEASE);
  }
}
