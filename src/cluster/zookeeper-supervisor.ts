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
import type { ConnectionEnd, ZookeeperConnection } from './zookeeper-connection.ts';
import { openConnection } from './zookeeper-connection.ts';
import { KeptSession } from './zookeeper-session.ts';

export interface SupervisorOptions {
  /** `host:port` each. */
  servers: readonly string[];
  sessionTimeoutMs: number;
  handshakeDeadlineMs: number;
  operationDeadlineMs: number;
  /** A connection is replaced before the package's 31-bit request counter overflows. */
  maxRequestsPerConnection: number;
  digest: string | undefined;
  nowMs: () => number;
  log: Log;
}

/** A store emptied by its operators has older transactions than we have seen; after this long we accept it. */
const FORGET_ZXID_AFTER_MS = 30_000;
const CLOSE_DEADLINE_MS = 1_000;
/** Operations under way, and those that wait for their turn; more are refused as `busy`. */
const MAX_IN_FLIGHT = 500;
const MAX_WAITING = 20_000;

export class ZookeeperSupervisor {
  readonly #options: SupervisorOptions;
  readonly #nowMs: () => number;
  readonly #log: Log;
  readonly #listeners = new Set<(state: CoordinationState) => void>();
  readonly #closing = new AbortController();
  readonly #supervised: Promise<void>;
  readonly session: KeptSession;
  readonly gate: OperationGate;
  readonly counts = { reconnects: 0, expiries: 0 };
  #state: CoordinationState = 'connecting';
  #sinceMs: number;
  #connection: ZookeeperConnection | undefined;
  #connectionNumber = 0;
  /** On the present connection. */
  #requests = 0;
  #server = '';
  #lastZxid: Buffer | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs;
    this.#log = options.log;
    this.session = new KeptSession(options.sessionTimeoutMs);
    this.gate = operationGate(MAX_IN_FLIGHT, MAX_WAITING);
    this.#sinceMs = options.nowMs();
    this.#supervised = this.#superviseForEver();
  }

  get state(): CoordinationState {
    return this.#state;
  }

  get stateAgeMs(): number {
    return this.#nowMs() - this.#sinceMs;
  }

  /** In use, empty when none. */
  get server(): string {
    return this.#server;
  }

  /** Changes with each connection: one-shot watches of an older one are void. */
  get connectionNumber(): number {
    return this.#connectionNumber;
  }

  onState(listener: (state: CoordinationState) => void): Stop {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs one operation with its deadline on the present connection; refused at once while there is none. */
  run<T>(
    issue: (client: Client, done: (error: ClientError | null | undefined, value?: T) => void) => void,
  ): Promise<Outcome<T>> {
    const target = this.#connection;
    if (this.#state === 'closed') return Promise.resolve({ ok: false, why: 'closed' });
    if (!target || this.#state !== 'up') return Promise.resolve({ ok: false, why: 'away' });
    return new Promise((resolve) => {
      const start = (): void => {
        const sentAtMs = this.#nowMs();
        this.#requests += 1;
        void target.run(issue).then((outcome) => {
          this.gate.leave();
          if (outcome.ok || outcome.why !== 'lost') this.session.answered(sentAtMs);
          clearTimeout(deadline);
          resolve(outcome);
        });
      };
      const deadline = setTimeout(() => {
        // A late timer may only mean that this process was busy: let the socket be read first.
        setImmediate(() => {
          const neverSent = place !== undefined && this.gate.abandon(place);
          resolve({ ok: false, why: neverSent ? 'busy' : 'lost' });
        });
      }, this.#options.operationDeadlineMs).unref();
      const place = this.gate.enter(start);
      if (place) return;
      clearTimeout(deadline);
      resolve({ ok: false, why: 'busy' });
    });
  }

  async close(): Promise<void> {
    if (this.#isClosing()) {
      await this.#supervised;
      return;
    }
    this.#closing.abort();
    const last = this.#connection;
    if (last && this.#state === 'up') {
      const goodbye = setTimeout(() => last.destroy(), CLOSE_DEADLINE_MS);
      last.closeSession();
      await this.#supervised;
      clearTimeout(goodbye);
    } else {
      last?.destroy();
      await this.#supervised;
    }
    this.session.forget();
    this.#enter('closed');
    this.#listeners.clear();
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  #enter(next: CoordinationState): void {
    if (this.#state === next || this.#state === 'closed') return;
    this.#state = next;
    this.#sinceMs = this.#nowMs();
    for (const listener of [...this.#listeners]) listener(next);
  }

  async #superviseForEver(): Promise<void> {
    const { servers, handshakeDeadlineMs } = this.#options;
    let next = Math.floor(Math.random() * servers.length);
    let failures = 0;
    const patience = new HandshakePatience(servers.length, handshakeDeadlineMs);
    while (!this.#isClosing()) {
      const candidate = servers[next++ % servers.length]!;
      const numberBefore = this.#connectionNumber;
      const { end, wasMute } = await this.#live(candidate, patience.waitMs);
      if (this.#isClosing()) return;
      if (end === 'expired') {
        this.counts.expiries += 1;
        this.#log.warn('zookeeper-session-expired', { sessionId: this.session.id });
        this.session.forget();
        continue;
      }
      if (end === 'auth-failed') this.#log.error('zookeeper-auth-failed', { server: candidate });
      if (this.#connectionNumber > numberBefore) {
        failures = 0;
        patience.connected();
        this.counts.reconnects += 1;
        this.#log.warn('zookeeper-away', { server: candidate });
        this.#enter('away');
      } else {
        failures += 1;
        patience.failed(candidate, wasMute);
        // Said once, after each server was asked: a wrong address would otherwise be silence.
        if (failures === servers.length) this.#log.warn('zookeeper-unreachable', { servers });
        if (this.stateAgeMs > FORGET_ZXID_AFTER_MS) this.#lastZxid = undefined;
      }
      // One quick round over all servers, then jittered rounds: nobody waits long, nothing is hammered.
      if (failures > 0 && failures % servers.length === 0) {
        await sleep(100 + 200 * Math.random(), undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }

  /** One connection's whole life; says how it ended, and whether it took a handshake and left it unanswered. */
  async #live(candidate: string, handshakeMs: number): Promise<{ end: ConnectionEnd; wasMute: boolean }> {
    const startedMs = this.#nowMs();
    const { sessionTimeoutMs, digest } = this.#options;
    const { session } = this.session;
    let onEnd: (end: ConnectionEnd) => void = () => {};
    const ended = new Promise<ConnectionEnd>((resolve) => (onEnd = resolve));
    const attempt = openConnection({
      server: candidate,
      sessionTimeoutMs,
      ...(session && { session }),
      ...(this.#lastZxid && { lastZxid: this.#lastZxid }),
      ...(digest !== undefined && { digest }),
      onEnd,
    });
    this.#connection = attempt;
    let wasMute = false;
    const deadline = setTimeout(() => {
      wasMute = true;
      attempt.destroy('lost');
    }, handshakeMs);
    const open = await attempt.opened;
    clearTimeout(deadline);
    if (open && !this.#isClosing()) {
      this.session.opened(attempt.session(), attempt.sessionTimeoutMs(), startedMs);
      this.#connectionNumber += 1;
      this.#requests = 0;
      this.#server = candidate;
      const { id: sessionId, timeoutMs } = this.session;
      this.#log.info('zookeeper-up', { server: candidate, sessionId, sessionTimeoutMs: timeoutMs });
      this.#enter('up');
      void this.#probe(attempt);
    }
    const end = await ended;
    if (open) this.#lastZxid = Buffer.from(attempt.lastZxid());
    this.#server = '';
    this.#connection = undefined;
    return { end, wasMute };
  }

  /** Asks for something small each third of the timeout; an unanswered probe ends the connection. */
  async #probe(watched: ZookeeperConnection): Promise<void> {
    const periodMs = this.session.timeoutMs / 3;
    while (this.#connection === watched) {
      const sentAtMs = this.#nowMs();
      this.#requests += 1;
      const answer = await withDeadline(
        watched.run((client, done) => client.exists('/', undefined, done)),
        Math.min(periodMs, this.#options.handshakeDeadlineMs),
      );
      if (!answer || (!answer.ok && answer.why === 'lost')) {
        if (this.#connection === watched) this.#log.warn('zookeeper-silent', { server: this.#server });
        watched.destroy('lost');
        return;
      }
      this.session.answered(sentAtMs);
      if (this.#requests > this.#options.maxRequestsPerConnection) {
        watched.destroy('lost');
        return;
      }
      await sleep(Math.max(0, periodMs - (this.#nowMs() - sentAtMs)), undefined, { ref: false });
    }
  }
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
