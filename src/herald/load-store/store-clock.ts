// The store's own time, as this Herald's writes tell it.

import type { Outcome, Stamp } from '../../cluster/coordination.ts';
import type { Clock } from '../../daemon/clock.ts';
import type { OwnWrite } from './store-time.ts';
import { betterWrite } from './store-time.ts';

const TRIES = 3;
const GOOD_ROUND_TRIP_MS = 20;

export class StoreClock {
  readonly #write: () => Promise<Outcome<Stamp>>;
  readonly #clock: Clock;
  #ownWrite: OwnWrite | undefined;
  #asking: Promise<void> | undefined;

  /** `write`: a small one, made only to learn the time. */
  constructor(write: () => Promise<Outcome<Stamp>>, clock: Clock) {
    this.#write = write;
    this.#clock = clock;
  }

  /** The one that tells the time best; undefined before the first. */
  get ownWrite(): OwnWrite | undefined {
    return this.#ownWrite;
  }

  /** A write of ours that was sent at `sentAtMs` has just been answered. */
  written({ modifiedMs, clockEpoch }: Stamp, sentAtMs: number): void {
    const roundTripMs = this.#clock.nowMs() - sentAtMs;
    this.#ownWrite = betterWrite(this.#ownWrite, { modifiedMs, clockEpoch, sentAtMs, roundTripMs });
  }

  /** Asks for the time, one question at a time; the first ever must also make the folders. */
  ask(): Promise<void> {
    this.#asking ??= this.#tryToAsk();
    return this.#asking;
  }

  async #tryToAsk(): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const sentAtMs = this.#clock.nowMs();
      const answer = await this.#write();
      if (!answer.ok) break;
      this.written(answer.value, sentAtMs);
      if ((this.#ownWrite?.roundTripMs ?? 0) < GOOD_ROUND_TRIP_MS) break;
    }
    this.#asking = undefined;
  }
}
