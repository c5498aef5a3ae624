// ZooKeeper absent at start, absent for five minutes, and back: every lookup is answered from memory,
// the state is told in three places, and each Herald joins within 2 s of the return without a restart.

import { pause } from '../../../launch/until.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { Effort, Row } from '../row.ts';
import { allReady, mustSayDegraded, nextWrites, quorumServes, sessionOf } from '../signs.ts';

const JOIN_LIMIT_MS = 2_000;

export const zookeeperAbsent: Row = {
  title: 'ZooKeeper absent at start, absent for minutes, and back',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { ensemble, oracle, heralds } = field;

    const atStart = findingOf(oracle, {
      fault: 'ZooKeeper absent at start',
      measured: 'joined after its coming',
      limitMs: JOIN_LIMIT_MS,
    });
    const startMs = oracle.fault('ZooKeeper is not there yet');
    atStart.again();
    atStart.must(
      ensemble.servers.every((server) => server.pid() === 0),
      'ZooKeeper was already started: this row must be the first',
    );
    await pause(effort.lasts(30_000, 2_000));
    await mustSayDegraded(atStart, heralds, 'before ZooKeeper');
    await comesBack(field, atStart);
    atStart.lookups({ fromMs: startMs });

    const away = findingOf(oracle, {
      fault: 'ZooKeeper absent for minutes',
      measured: 'joined after its return',
      limitMs: JOIN_LIMIT_MS,
    });
    await field.settle();
    const pids = heralds.map((herald) => herald.pid());
    const awayMs = oracle.fault('all ZooKeeper servers killed');
    away.again();
    await Promise.all(ensemble.servers.map((server) => server.kill()));
    await pause(effort.lasts(300_000, 4_000));
    await mustSayDegraded(away, heralds, 'without ZooKeeper');
    await comesBack(field, away);
    away.must(
      heralds.every((herald, i) => herald.pid() === pids[i]),
      'a Herald was restarted',
    );
    away.lookups({ fromMs: awayMs });
    return [atStart.end(), away.end()];
  },
};

async function comesBack(field: Field, finding: FindingBook): Promise<void> {
  const { ensemble, oracle, heralds } = field;
  await Promise.all(ensemble.servers.map((server) => server.start(false)));
  const writes = nextWrites(heralds, 60_000);
  const ready = allReady(heralds, 60_000);
  const backMs = await quorumServes(field);
  oracle.fault('a ZooKeeper quorum serves');
  for (const { herald, atMs } of await writes) {
    finding.took(backMs, Math.max(0, atMs - backMs), `${herald.id} wrote its table part`);
  }
  for (const [i, atMs] of (await ready).entries()) {
    finding.took(backMs, Math.max(0, atMs - backMs), `${heralds[i]!.id} said ready`);
  }
  for (const herald of heralds) {
    finding.must((await sessionOfSoon(field, herald)) !== '', `${herald.id} has no entry in ZooKeeper`);
  }
}

/** The observer needs a moment of its own to come back. */
async function sessionOfSoon(field: Field, herald: Field['heralds'][number]): Promise<string> {
  const endMs = performance.now() + 5_000;
  while (performance.now() < endMs) {
    const session = await sessionOf(field, herald).catch(() => '');
    if (session !== '') return session;
    await pause(50);
  }
  return '';
}
