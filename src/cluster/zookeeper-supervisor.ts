// Keeps one ZooKeeper session alive over many short-lived connections: tries the servers in turn with a
// deadline on each handshake, probes the one in use, resumes the session on a fresh connection and begins a
// new session after expiry. A frozen server is left after one unanswered probe, not after the kernel's minutes.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientError } from 'node-zookeeper-client';
import type { Log } from '../daemon/log.ts';
import type { CoordinationState, Outcome, Stop } from './coordination.ts';
import { HandshakePatience } from './handshake-patience.ts';
import type { OperationGate } from './operation-gate.ts';
import { operationGate } from './operation-gate.ts';
import type { ConnectionEnd, ZookeeperConnection, ZookeeperSession } from './zookeeper-connection.ts';
import { openConnection } from './zookeeper-connection.ts';

export interface SupervisorOptions {
  /** `host:port` each. */
  servers: readonly string[];
  sessionTimeoutMs: number;
  handshakeDeadlineMs: number;
  operationDeadlineMs: number;
  maxInFlight: number;
  maxWaiting: number;
  /** A connection is replaced before the package's 31-bit request counter overflows. */
  maxRequestsPerConnection: number;
  digest: string | undefined;
  nowMs: () => number;
  log: Log;
}

export interface Supervisor {
  state(): CoordinationState;
  stateAgeMs(): number;
  onState(listener: (state: CoordinationState) => void): Stop;
  /** Server in use, empty when none. */
  server(): string;
  /** Hexadecimal, as the server's own tools print it; empty while there is none. */
  sessionId(): string;
  wasOurs(sessionId: string): boolean;
  sessionTimeoutMs(): number;
  safeUntilMs(): number;
  counts(): { reconnects: number; expiries: number };
  gate: OperationGate;
  /** Runs one operation with its deadline on the present connection; refused at once while there is none. */
  run<T>(
    issue: (client: Client, done: (error: ClientError | null | undefined, value?: T) => void) => void,
  ): Promise<Outcome<T>>;
  /** Changes with each connection: one-shot watches of an older one are void. */
  connectionNumber(): number;
  close(): Promise<void>;
}

/** How many earlier sessions are remembered; the server has long buried older ones. */
const MAX_PAST_SESSIONS = 64;
/** A store emptied by its operators has older transactions than we have seen; after this long we accept it. */
const FORGET_ZXID_AFTER_MS = 30_000;
const CLOSE_DEADLINE_MS = 1_000;

export function superviseZookeeper(options: SupervisorOptions): Supervisor {
  const { log, nowMs } = options;
  const listeners = new Set<(state: CoordinationState) => void>();
  const past = new Set<string>();
  const gate = operationGate(options.maxInFlight, options.maxWaiting);
  const closing = new AbortController();
  const isClosing = (): boolean => closing.signal.aborted;

  let state: CoordinationState = 'connecting';
  let sinceMs = nowMs();
  let connection: ZookeeperConnection | undefined;
  let connectionNumber = 0;
  let requests = 0;
  let server = '';
  let session: ZookeeperSession | undefined;
  let sessionTimeoutMs = options.sessionTimeoutMs;
  let lastZxid: Buffer | undefined;
  let lastContactMs = 0;
  let reconnects = 0;
  let expiries = 0;

  const enter = (next: CoordinationState): void => {
    if (state === next || state === 'closed') return;
    state = next;
    sinceMs = nowMs();
    for (const listener of [...listeners]) listener(next);
  };

  const forgetSession = (): void => {
    if (!session) return;
    past.add(session.id.toString('hex'));
    for (const oldest of past) {
      if (past.size <= MAX_PAST_SESSIONS) break;
      past.delete(oldest);
    }
    session = undefined;
    lastContactMs = 0;
  };

  const answeredAt = (sentAtMs: number): void => {
    lastContactMs = Math.max(lastContactMs, sentAtMs);
  };

  /** One connection's whole life; says how it ended, and whether it took a handshake and left it unanswered. */
  const live = async (
    candidate: string,
    handshakeMs: number,
  ): Promise<{ end: ConnectionEnd; wasMute: boolean }> => {
    const startedMs = nowMs();
    let onEnd: (end: ConnectionEnd) => void = () => {};
    const ended = new Promise<ConnectionEnd>((resolve) => (onEnd = resolve));
    const attempt = openConnection({
      server: candidate,
      sessionTimeoutMs: options.sessionTimeoutMs,
      ...(session && { session }),
      ...(lastZxid && { lastZxid }),
      ...(options.digest !== undefined && { digest: options.digest }),
      onEnd,
    });
    connection = attempt;
    let wasMute = false;
    const deadline = setTimeout(() => {
      wasMute = true;
      attempt.destroy('lost');
    }, handshakeMs);
    const open = await attempt.opened;
    clearTimeout(deadline);
    if (open && !isClosing()) {
      session = attempt.session();
      sessionTimeoutMs = attempt.sessionTimeoutMs();
      answeredAt(startedMs);
      connectionNumber += 1;
      requests = 0;
      server = candidate;
      log.info('zookeeper-up', { server, sessionId: session.id.toString('hex'), sessionTimeoutMs });
      enter('up');
      void probe(attempt);
    }
    const end = await ended;
    if (open) lastZxid = Buffer.from(attempt.lastZxid());
    server = '';
    connection = undefined;
    return { end, wasMute };
  };

  /** Asks for something small each third of the timeout; an unanswered probe ends the connection. */
  const probe = async (watched: ZookeeperConnection): Promise<void> => {
    const periodMs = sessionTimeoutMs / 3;
    while (connection === watched) {
      const sentAtMs = nowMs();
      requests += 1;
      const answer = await withDeadline(
        watched.run((client, done) => client.exists('/', undefined, done)),
        Math.min(periodMs, options.handshakeDeadlineMs),
      );
      if (!answer || (!answer.ok && answer.why === 'lost')) {
        if (connection === watched) log.warn('zookeeper-silent', { server });
        watched.destroy('lost');
        return;
      }
      answeredAt(sentAtMs);
      if (requests > options.maxRequestsPerConnection) {
        watched.destroy('lost');
        return;
      }
      await sleep(Math.max(0, periodMs - (nowMs() - sentAtMs)), undefined, { ref: false });
    }
  };

  const superviseForEver = async (): Promise<void> => {
    let next = Math.floor(Math.random() * options.servers.length);
    let failures = 0;
    const patience = new HandshakePatience(options.servers.length, options.handshakeDeadlineMs);
    while (!isClosing()) {
      const candidate = options.servers[next++ % options.servers.length]!;
      const numberBefore = connectionNumber;
      const { end, wasMute } = await live(candidate, patience.waitMs);
      if (isClosing()) return;
      if (end === 'expired') {
        expiries += 1;
        log.warn('zookeeper-session-expired', { sessionId: session?.id.toString('hex') });
        forgetSession();
        continue;
      }
      if (end === 'auth-failed') log.error('zookeeper-auth-failed', { server: candidate });
      if (connectionNumber > numberBefore) {
        failures = 0;
        patience.connected();
        reconnects += 1;
        log.warn('zookeeper-away', { server: candidate });
        enter('away');
      } else {
        failures += 1;
        patience.failed(candidate, wasMute);
        // Said once, after each server was asked: a wrong address would otherwise be silence.
        if (failures === options.servers.length) {
          log.warn('zookeeper-unreachable', { servers: options.servers });
        }
        if (nowMs() - sinceMs > FORGET_ZXID_AFTER_MS) lastZxid = undefined;
      }
      // One quick round over all servers, then jittered rounds: nobody waits long, nothing is hammered.
      if (failures > 0 && failures % options.servers.length === 0) {
        await sleep(100 + 200 * Math.random(), undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };
  const supervised = superviseForEver();

  return {
    state: () => state,
    stateAgeMs: () => nowMs() - sinceMs,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    server: () => server,
    sessionId: () => session?.id.toString('hex') ?? '',
    wasOurs: (sessionId) => past.has(sessionId),
    sessionTimeoutMs: () => sessionTimeoutMs,
    // The server counts from the arrival of our last request, which is after we sent it; a third of the
    // timeout is left for clocks that run at different speeds.
    safeUntilMs: () => (session && lastContactMs > 0 ? lastContactMs + (sessionTimeoutMs * 2) / 3 : 0),
    counts: () => ({ reconnects, expiries }),
    gate,
    connectionNumber: () => connectionNumber,

    run(issue) {
      const target = connection;
      if (state === 'closed') return Promise.resolve({ ok: false, why: 'closed' });
      if (!target || state !== 'up') return Promise.resolve({ ok: false, why: 'away' });
      return new Promise((resolve) => {
        const start = (): void => {
          const sentAtMs = nowMs();
          requests += 1;
          void target.run(issue).then((outcome) => {
            gate.leave();
            if (outcome.ok || outcome.why !== 'lost') answeredAt(sentAtMs);
            clearTimeout(deadline);
            resolve(outcome);
          });
        };
        const deadline = setTimeout(() => {
          // A late timer may only mean that this process was busy: let the socket be read first.
          setImmediate(() => {
            const neverSent = place !== undefined && gate.abandon(place);
            resolve({ ok: false, why: neverSent ? 'busy' : 'lost' });
          });
        }, options.operationDeadlineMs).unref();
        const place = gate.enter(start);
        if (place) return;
        clearTimeout(deadline);
        resolve({ ok: false, why: 'busy' });
      });
    },

    async close() {
      if (isClosing()) {
        await supervised;
        return;
      }
      closing.abort();
      const last = connection;
      if (last && state === 'up') {
        const goodbye = setTimeout(() => last.destroy(), CLOSE_DEADLINE_MS);
        last.closeSession();
        await supervised;
        clearTimeout(goodbye);
      } else {
        last?.destroy();
        await supervised;
      }
      forgetSession();
      enter('closed');
      listeners.clear();
    },
  };
}

/** The value, or undefined when it takes longer; a late timer gives the socket one more turn. */
function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => setImmediate(() => resolve(undefined)), deadlineMs);
    timer.unref();
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
