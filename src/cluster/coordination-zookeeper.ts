// Coordination on a real ZooKeeper: the session's operations in terms of the client package, each run by
// the supervisor. Paths get the chroot here and nowhere else; the package never hears of it.

import zookeeper from 'node-zookeeper-client';
import type { Client, ClientError, Stat } from 'node-zookeeper-client';
import type { Log } from '../daemon/log.ts';
import { silentLog } from '../daemon/log.ts';
import type { Coordination, Entry, Outcome, Stamp } from './coordination.ts';
import { coordinate } from './coordinate.ts';
import type { Session } from './session.ts';
import { parentOf } from './session.ts';
import { parseZookeeperAddress } from './zookeeper-address.ts';
import { ZookeeperSupervisor } from './zookeeper-supervisor.ts';

type Done<T> = (error: ClientError | null | undefined, value?: T) => void;

export interface ZookeeperOptions {
  /** `host:port[,host:port...][/chroot]`; a bad one throws an Error that says what was expected. */
  address: string;
  /** Asked of the server. Shorter notices death sooner and survives less: 6 s by default. */
  sessionTimeoutMs?: number;
  /** `user:password`: every node created is then readable and writable by this user alone. */
  digest?: string;
  handshakeDeadlineMs?: number;
  operationDeadlineMs?: number;
  maxRequestsPerConnection?: number;
  nowMs?: () => number;
  log?: Log;
}

export function zookeeperCoordination(options: ZookeeperOptions): Coordination {
  const { servers, chroot } = parseZookeeperAddress(options.address);
  const log = options.log ?? silentLog;
  const nowMs = options.nowMs ?? (() => performance.now());
  const acls = options.digest ? zookeeper.ACL.CREATOR_ALL_ACL : zookeeper.ACL.OPEN_ACL_UNSAFE;
  const supervisor = new ZookeeperSupervisor({
    servers,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 6_000,
    handshakeDeadlineMs: options.handshakeDeadlineMs ?? 2_000,
    operationDeadlineMs: options.operationDeadlineMs ?? 2_000,
    maxRequestsPerConnection: options.maxRequestsPerConnection ?? 2 ** 30,
    digest: options.digest || undefined,
    nowMs,
    log,
  });

  const at = (path: string): string => (path === '/' ? chroot || '/' : chroot + path);
  const watcherOf = oneWatcherEach(supervisor);

  const create = async (path: string, data: Buffer, mode: number): Promise<Outcome<void>> => {
    const created = await supervisor.run<string>((client, done) =>
      client.create(path, data, acls, mode, done),
    );
    if (created.ok) return { ok: true, value: undefined };
    if (created.why !== 'no-node' || path === '/') return created;
    const parent = await create(parentOf(path), Buffer.alloc(0), zookeeper.CreateMode.PERSISTENT);
    if (!parent.ok && parent.why !== 'exists') return parent;
    return create(path, data, mode);
  };

  /** What `act` answers; where it misses `path`, that node is made first. */
  const onceMade = async <T>(path: string, act: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const first = await act();
    if (first.ok || first.why !== 'no-node') return first;
    const made = await create(at(path), Buffer.alloc(0), zookeeper.CreateMode.PERSISTENT);
    return made.ok || made.why === 'exists' ? act() : made;
  };

  /** Only `exists` can watch for a creation; its stat is empty while there is nothing. */
  const watchForCreation = (path: string, watcher: () => void): Promise<Outcome<Stat | null>> =>
    supervisor.run<Stat | null>((client, done) => client.exists(path, watcher, done));

  /** Reads. With `onChange`, and where there is nothing, waits for the creation and reads again if it came meanwhile. */
  const readOrWatch = async <T>(
    path: string,
    onChange: (() => void) | undefined,
    issue: (client: Client, watcher: (() => void) | undefined, done: Done<T>) => void,
  ): Promise<Outcome<T>> => {
    const watcher = watcherOf(onChange);
    for (;;) {
      const found = await supervisor.run<T>((client, done) => issue(client, watcher, done));
      if (found.ok || found.why !== 'no-node' || !watcher) return found;
      const absent = await watchForCreation(at(path), watcher);
      if (!absent.ok) return absent;
      if (!absent.value) return found;
    }
  };

  const session: Session = {
    state: () => supervisor.state,
    onState: (listener) => supervisor.onState(listener),
    snapshot: () => ({
      kind: 'zookeeper',
      state: supervisor.state,
      stateAgeMs: supervisor.stateAgeMs,
      server: supervisor.server,
      sessionId: supervisor.session.id,
      sessionTimeoutMs: supervisor.session.timeoutMs,
      operationsInFlight: supervisor.gate.inFlight(),
      operationsWaiting: supervisor.gate.waiting(),
      ...supervisor.counts,
    }),
    sessionId: () => supervisor.session.id,
    wasOurs: (sessionId) => supervisor.session.wasOurs(sessionId),
    safeUntilMs: () => supervisor.session.safeUntilMs,
    nowMs,

    read: (path, onChange) =>
      readOrWatch<Entry>(path, onChange, (client, watcher, done) =>
        client.getData(at(path), watcher, (error, data, stat) =>
          error ? done(error) : done(null, { ...stampOf(stat), data: data?.toString('utf8') ?? '' }),
        ),
      ),
    names: (path, onChange) =>
      readOrWatch<string[]>(path, onChange, (client, watcher, done) =>
        client.getChildren(at(path), watcher, (error, names) => done(error, names)),
      ),
    create: (path, data, ephemeral) =>
      create(
        at(path),
        Buffer.from(data),
        ephemeral ? zookeeper.CreateMode.EPHEMERAL : zookeeper.CreateMode.PERSISTENT,
      ),
    write: (path, data, version) =>
      supervisor.run<Stamp>((client, done) =>
        client.setData(at(path), Buffer.from(data), version, (error, stat) =>
          error ? done(error) : done(null, stampOf(stat)),
        ),
      ),
    remove: (path, version) =>
      supervisor.run((client, done) => client.remove(at(path), version, (error) => done(error))),

    // Zero is never an epoch: the package's transactions read a check for version 0 as "any version".
    acquire: (path, data, epochPath) =>
      onceMade(epochPath, () =>
        supervisor.run<number>((client, done) =>
          client
            .transaction()
            .create(at(path), Buffer.from(data), acls, zookeeper.CreateMode.EPHEMERAL)
            .setData(at(epochPath), Buffer.from(data), -1)
            .commit((error, results) => done(error, error ? undefined : results[1]?.stat?.version)),
        ),
      ),
    async fencedWrite(epochPath, epoch, path, data) {
      const write = (): Promise<Outcome<void>> =>
        supervisor.run((client, done) =>
          client
            .transaction()
            .check(at(epochPath), epoch)
            .setData(at(path), Buffer.from(data), -1)
            .commit((error) => done(error)),
        );
      const written = await onceMade(path, write);
      return !written.ok && written.why === 'version' ? { ok: false, why: 'fenced' } : written;
    },
    close: () => supervisor.close(),
  };
  return coordinate(session, log);
}

/**
 * One watcher for each `onChange` on a connection: the package keeps every watcher that it is given for a path until the
 * path changes.
 */
function oneWatcherEach(
  supervisor: ZookeeperSupervisor,
): (onChange: (() => void) | undefined) => (() => void) | undefined {
  const watchers = new WeakMap<() => void, { number: number; watcher: () => void }>();
  return (onChange) => {
    if (!onChange) return undefined;
    const number = supervisor.connectionNumber;
    const known = watchers.get(onChange);
    if (known?.number === number) return known.watcher;
    // Out of the package's data handler first: what a listener throws is not the connection's fault.
    const watcher = (): void => queueMicrotask(() => number === supervisor.connectionNumber && onChange());
    watchers.set(onChange, { number, watcher });
    return watcher;
  };
}

function stampOf(stat: Stat): Stamp {
  const owner = stat.ephemeralOwner.toString('hex');
  return {
    version: stat.version,
    modifiedMs: Number(stat.mtime.readBigInt64BE()),
    // The high half of a transaction id counts leaders (ZooKeeper internals, "zxid").
    clockEpoch: stat.mzxid.readInt32BE(0),
    owner: owner === '0000000000000000' ? '' : owner,
  };
}
