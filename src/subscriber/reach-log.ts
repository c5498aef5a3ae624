// Whether a broker is reached, for the log: once a change, and once when it stays away.

import type { Log } from '../daemon/log.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';

/** One that is restarted is back before. */
const UNREACHABLE_MS = 5_000;

export class ReachLog {
  readonly #log: Log;
  #isUp = false;
  /** Since when there is no connection, until that is told. */
  #awaySinceMs: number | undefined;
  /** Why the broker, which is there, lets this side not in; empty = it never said. */
  #refusal = '';

  constructor(log: Log) {
    this.#log = log;
  }

  /** A connection is wanted from now on. */
  opened(nowMs: number): void {
    this.#awaySinceMs = nowMs;
  }

  /** May be called again and again for one and the same. */
  connected(broker: string, isUp: boolean, nowMs: number): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.#refusal = '';
    this.#awaySinceMs = isUp ? undefined : nowMs;
    this.#log.info(isUp ? 'broker-connected' : 'broker-disconnected', { broker });
  }

  /** Nobody here wants one any more: its end is no news. */
  stop(): void {
    this.#isUp = false;
  }

  refused(why: string): void {
    this.#refusal = why;
  }

  /** While there is no connection. */
  tick({ id, subscribe, repair }: BrokerAddress, nowMs: number): void {
    if (nowMs - (this.#awaySinceMs ?? nowMs) < UNREACHABLE_MS) return;
    this.#awaySinceMs = undefined;
    const why = this.#refusal === '' ? {} : { why: this.#refusal };
    this.#log.warn('broker-unreachable', { broker: id, subscribe, repair, ...why });
  }
}
