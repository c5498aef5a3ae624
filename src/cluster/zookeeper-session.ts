// What outlives a connection to ZooKeeper: the session that the next one resumes, and how long the server surely keeps it.

import type { ZookeeperSession } from './zookeeper-connection.ts';

/** How many earlier sessions are remembered; the server has long buried older ones. */
const MAX_PAST_SESSIONS = 64;

export class KeptSession {
  readonly #past = new Set<string>();
  #session: ZookeeperSession | undefined;
  #timeoutMs: number;
  /** When the last request was sent that the server answered; 0 = none in this session. */
  #lastContactMs = 0;

  /** `timeoutMs`: to be asked for; the server has bounds of its own. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get session(): ZookeeperSession | undefined {
    return this.#session;
  }

  /** Hexadecimal, as the server's own tools print it; empty while there is none. */
  get id(): string {
    return this.#session?.id.toString('hex') ?? '';
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /**
   * The server counts from the arrival of our last request, which is after we sent it; a third of the timeout is
   * left for clocks that run at different speeds. 0 while there is no session.
   */
  get safeUntilMs(): number {
    return this.#session && this.#lastContactMs > 0 ? this.#lastContactMs + (this.#timeoutMs * 2) / 3 : 0;
  }

  wasOurs(id: string): boolean {
    return this.#past.has(id);
  }

  /** A handshake that was begun at `sentAtMs` gave or resumed it. */
  opened(session: ZookeeperSession, timeoutMs: number, sentAtMs: number): void {
    this.#session = session;
    this.#timeoutMs = timeoutMs;
    this.answered(sentAtMs);
  }

  /** The server answered what was sent then. */
  answered(sentAtMs: number): void {
    this.#lastContactMs = Math.max(this.#lastContactMs, sentAtMs);
  }

  /** It has expired or was closed: the next connection begins a new one. */
  forget(): void {
    if (!this.#session) return;
    this.#past.add(this.id);
    for (const oldest of this.#past) {
      if (this.#past.size <= MAX_PAST_SESSIONS) break;
      this.#past.delete(oldest);
    }
    this.#session = undefined;
    this.#lastContactMs = 0;
  }
}
