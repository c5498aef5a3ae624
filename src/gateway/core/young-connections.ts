// (1) How much of the own connections the measured load does not show yet (`y` in docs/policy.md). A new
// connection grows to its full cost over a ramp, and the measurement is a mean over the last window, so it
// counts as 1 - (I(a) - I(a - w)) / w with I the integral of the ramp. Arrivals are kept in 100 ms buckets.

const BUCKET_MS = 100;
const RAMP_MS = 10_000;
/** The averaging window of the signals; the reporter's. */
const WINDOW_MS = 2_000;
const BUCKETS = (RAMP_MS + WINDOW_MS) / BUCKET_MS;

export class YoungConnections {
  readonly #counts = new Float64Array(BUCKETS);
  #newest = 0;

  opened(nowMs: number): void {
    this.#advance(nowMs);
    this.#counts[this.#newest % BUCKETS]! += 1;
  }

  closed(openedMs: number, nowMs: number): void {
    this.#advance(nowMs);
    const bucket = Math.floor(openedMs / BUCKET_MS);
    if (this.#newest - bucket < BUCKETS) this.#counts[bucket % BUCKETS]! -= 1;
  }

  weight(nowMs: number): number {
    this.#advance(nowMs);
    let sum = 0;
    for (let age = 0; age < BUCKETS; age++) {
      const count = this.#counts[(this.#newest - age + BUCKETS) % BUCKETS]!;
      if (count > 0) sum += count * unseenShare((age + 0.5) * BUCKET_MS);
    }
    return sum;
  }

  #advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    const steps = Math.min(BUCKETS, bucket - this.#newest);
    for (let i = 1; i <= steps; i++) this.#counts[(this.#newest + i) % BUCKETS] = 0;
    if (steps > 0) {
      // A jump past all buckets leaves none of the old ones, wherever it lands.
      if (steps === BUCKETS) this.#counts.fill(0);
      this.#newest = bucket;
    }
  }
}

/** The part of a connection of this age that the measurement does not hold; 1 when new, 0 when grown. */
export function unseenShare(ageMs: number): number {
  return 1 - (rampIntegral(ageMs) - rampIntegral(ageMs - WINDOW_MS)) / WINDOW_MS;
}

function rampIntegral(ageMs: number): number {
  if (ageMs <= 0) return 0;
  return ageMs < RAMP_MS ? (ageMs * ageMs) / (2 * RAMP_MS) : ageMs - RAMP_MS / 2;
}
