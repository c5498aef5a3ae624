// A rate limit on lookups that gives every refused caller its own time to come back, so that those who were
// refused together do not return together (the virtual scheduling form of GCRA, ITU-T I.371).

/** Nobody is sent away for longer: by then the queue has changed. */
const LONGEST_WAIT_MS = 60_000;

export class TokenBucket {
  readonly #perSec: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number | undefined;
  /** Callers already told to come back, and when the last of them is due. */
  #promisedAtMs = 0;

  /** `perSec` 0 = no limit; `burst` 0 = one second's worth. */
  constructor(perSec: number, burst: number) {
    this.#perSec = perSec;
    this.#burst = Math.max(1, burst || perSec);
    this.#tokens = this.#burst;
  }

  /** 0 when the caller may go on, else the ms after which its own slot is free. */
  take(nowMs: number): number {
    if (!(this.#perSec > 0)) return 0;
    const sinceMs = this.#filledAtMs === undefined ? 0 : Math.max(0, nowMs - this.#filledAtMs);
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (sinceMs * this.#perSec) / 1_000);
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    const slotMs = Math.min(LONGEST_WAIT_MS, 1_000 / this.#perSec);
    const nextAtMs = Math.max(this.#promisedAtMs, nowMs) + slotMs;
    // Behind a full minute the slots begin again at its start, or all who come now would return at its end.
    this.#promisedAtMs = nextAtMs > nowMs + LONGEST_WAIT_MS ? nowMs + slotMs : nextAtMs;
    return Math.ceil(this.#promisedAtMs - nowMs);
  }
}
