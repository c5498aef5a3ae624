// (1) How much of a gateway's own connections its measured load does not show yet (`y` in docs/policy.md). A
// new connection grows to its full cost over a ramp, and the measurement is a mean over the last window, so
// at age a it is hidden by 1 - (I(a) - I(a - w)) / w, I being the integral of the ramp. Reporters send it.

const BUCKET_MS = 100;
/** How long a connection takes to reach its full cost: a guess that need only be in the right region. */
const RAMP_MS = 10_000;
const LONGEST_WINDOW_MS = 10_000;
const BUCKETS = (RAMP_MS + LONGEST_WINDOW_MS) / BUCKET_MS;

export interface YoungConnections {
  opened(nowMs: number): void;
  /** A connection opened at `openedAtMs` is gone; of old ones nothing is known any more, and need not be. */
  closed(openedAtMs: number, nowMs: number): void;
  /** Weight of the connections that a measurement over the last `windowMs` does not hold; never negative. */
  value(nowMs: number, windowMs: number): number;
}

/** Arrivals in buckets of 100 ms: all calls are O(1) but `value`, which adds up at most 200 buckets. */
export function createYoungConnections(): YoungConnections {
  const counts = new Float64Array(BUCKETS);
  let newest = -Infinity;

  function advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    if (bucket - newest >= BUCKETS) counts.fill(0);
    else for (let next = newest + 1; next <= bucket; next++) counts[place(next)] = 0;
    // A clock that went back keeps its buckets: what is young stays young a little longer.
    if (bucket > newest) newest = bucket;
  }

  return {
    opened(nowMs) {
      advance(nowMs);
      counts[place(newest)]! += 1;
    },
    closed(openedAtMs, nowMs) {
      advance(nowMs);
      const bucket = Math.floor(openedAtMs / BUCKET_MS);
      if (bucket > newest || newest - bucket >= BUCKETS) return;
      counts[place(bucket)] = Math.max(0, counts[place(bucket)]! - 1);
    },
    value(nowMs, windowMs) {
      advance(nowMs);
      const window = Math.min(LONGEST_WINDOW_MS, Math.max(BUCKET_MS, windowMs));
      const reach = Math.min(BUCKETS, Math.ceil((RAMP_MS + window) / BUCKET_MS));
      let young = 0;
      for (let age = 0; age < reach; age++) {
        const count = counts[place(newest - age)]!;
        if (count > 0) young += count * hiddenShare((age + 0.5) * BUCKET_MS, window);
      }
      return young;
    },
  };
}

/** The part of a connection of this age that the measurement does not hold: 1 when new, 0 when grown. */
export function hiddenShare(ageMs: number, windowMs: number): number {
  return 1 - (rampIntegral(ageMs) - rampIntegral(ageMs - windowMs)) / windowMs;
}

/** I(x): x^2/20 below 10 s, x - 5 above (in seconds), 0 for x <= 0. */
function rampIntegral(ageMs: number): number {
  if (ageMs <= 0) return 0;
  return ageMs < RAMP_MS ? (ageMs * ageMs) / (2 * RAMP_MS) : ageMs - RAMP_MS / 2;
}

function place(bucket: number): number {
  return ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
}
