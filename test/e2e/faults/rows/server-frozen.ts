// A ZooKeeper server is stopped and says nothing more, neither closes anything: once the one that a Herald
// is connected to, once the leader. The session moves to another server within 1.5 times its timeout.

import type { ZookeeperServer } from '../../../launch/zookeeper.ts';
import { pause } from '../../../launch/until.ts';
import type { Field } from '../field.ts';
import { findingOf } from '../finding.ts';
import type { Finding, FindingBook } from '../finding.ts';
import type { Effort, Row } from '../row.ts';
import { nextWrites, sessionOf } from '../signs.ts';

/** The default of `zookeeperSessionTimeoutMs`, which the Heralds of the field use. */
const SESSION_TIMEOUT_MS = 6_000;
const MOVED_LIMIT_MS = 1.5 * SESSION_TIMEOUT_MS;

export const serverFrozen: Row = {
  title: 'ZooKeeper leader or own server SIGSTOP',
  async run(field: Field, effort: Effort): Promise<Finding[]> {
    const { ensemble, oracle } = field;
    const own = findingOf(oracle, {
      fault: "a Herald's own ZooKeeper server SIGSTOP",
      measured: 'session moved',
      limitMs: MOVED_LIMIT_MS,
    });
    await field.settle();
    await freeze(field, effort, await followerInUse(field), own);

    const leading = findingOf(oracle, {
      fault: 'ZooKeeper leader SIGSTOP',
      measured: 'session moved',
      limitMs: MOVED_LIMIT_MS,
    });
    await field.settle();
    await freeze(field, effort, await ensemble.leader(), leading);
    return [own.end(), leading.end()];
  },
};

async function freeze(
  field: Field,
  effort: Effort,
  server: ZookeeperServer,
  finding: FindingBook,
): Promise<void> {
  const { oracle, heralds } = field;
  const before = await Promise.all(heralds.map((herald) => sessionOf(field, herald)));
  // A write that was on its way when the server stopped must not pass for the first one after it.
  await nextWrites(heralds, 10_000);
  const frozenMs = oracle.fault(`ZooKeeper ${server.address} stopped`);
  finding.again();
  server.freeze();
  const writes = await nextWrites(heralds, 30_000);
  for (const { herald, atMs } of writes) {
    finding.took(frozenMs, atMs - frozenMs, `${herald.id} wrote through another`);
  }
  await pause(Math.max(0, frozenMs + effort.lasts(30_000, 0) - performance.now()));
  server.thaw();
  oracle.fault(`ZooKeeper ${server.address} continued`);
  await field.settleStore();
  for (const [i, herald] of heralds.entries()) {
    const now = await sessionOf(field, herald);
    finding.must(now === before[i], `${herald.id} lost its session: ${before[i] ?? ''} became ${now}`);
  }
  finding.lookups({ fromMs: frozenMs });
}

/** A follower that some Herald is connected to; a Herald is moved to one if all sit at the leader. */
async function followerInUse(field: Field): Promise<ZookeeperServer> {
  const { ensemble, heralds } = field;
  for (let tries = 0; tries < 50; tries++) {
    const leader = await ensemble.leader();
    for (const [i, server] of ensemble.servers.entries()) {
      if (server.port === leader.port) continue;
      if (heralds.some((herald) => herald.toZookeeper[i]!.connections() > 0)) return server;
    }
    for (const proxy of heralds[0]!.toZookeeper) proxy.dropConnections();
    await pause(500);
    await field.settleStore();
  }
  throw new Error('no Herald would connect to a follower');
}
