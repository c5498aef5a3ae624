// (1) How much of a gateway's own connections its measured load does not show yet (`y` in docs/policy.md). A
// new connection grows to its full cost over a ramp, and the measurement is a mean over the last window, so
// at age a it is hidden by 1 - (I(a) - I(a - w)) / w, I being the integral of the ramp. Reporters send it.

const BUCKET_MS = 100;
/** How long a connection takes to reach its full cost: a guess that need only be in the right region. */
export const DEFAULT_RAMP_MS = 10_000;
export const LONGEST_RAMP_MS = 60_000;
/**
 * Signals are means over this, whatever the report period: a longer window would hide a change from Herald, a shorter one
 * would report noise.
 */
export const AVERAGING_WINDOW_MS = 2_000;

export interface YoungConnections {
  opened(nowMs: number): void;
  /** A connection opened at `openedAtMs` is gone. One past its ramp no longer counts, so nothing changes. */
  closed(openedAtMs: number, nowMs: number): void;
  /** Weight of the connections that the measurement does not hold; never negative. */
  value(nowMs: number): number;
}

/**
 * Arrivals in buckets of 100 ms: all calls are O(1) but `value`, which adds up the buckets of a ramp and a window.
 * `rampMs`: 0 = a connection costs its full load at once. Throws a TypeError when it is not 0 to 60,000.
 */
export function createYoungConnections(rampMs = DEFAULT_RAMP_MS): YoungConnections {
  if (!(rampMs >= 0 && rampMs <= LONGEST_RAMP_MS)) {
    throw new TypeError(`rampMs: received ${rampMs}, expected 0 to ${LONGEST_RAMP_MS}`);
  }
  const buckets = Math.ceil((rampMs + AVERAGING_WINDOW_MS) / BUCKET_MS);
  const counts = new Float64Array(buckets);
  let newest = -Infinity;

  const place = (bucket: number): number => ((bucket % buckets) + buckets) % buckets;

  function advance(nowMs: number): void {
    const bucket = Math.floor(nowMs / BUCKET_MS);
    if (bucket - newest >= buckets) counts.fill(0);
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
      if (bucket > newest || newest - bucket >= buckets) return;
      counts[place(bucket)] = Math.max(0, counts[place(bucket)]! - 1);
    },
    value(nowMs) {
      advance(nowMs);
      let young = 0;
      for (let age = 0; age < buckets; age++) {
        const count = counts[place(newest - age)]!;
        if (count > 0) young += count * hiddenShare((age + 0.5) * BUCKET_MS, AVERAGING_WINDOW_MS, rampMs);
      }
      return young;
    },
  };
}

/** The part of a connection of this age that the measurement does not hold: 1 when new, 0 when grown. */
export function hiddenShare(ageMs: number, windowMs: number, rampMs: number): number {
  return 1 - (rampIntegral(ageMs, rampMs) - rampIntegral(ageMs - windowMs, rampMs)) / windowMs;
}

/** I(x): x^2/20 below a ramp of 10 s, x - 5 above (in seconds), 0 for x <= 0. */
function rampIntegral(ageMs: number, rampMs: number): number {
  if (ageMs <= 0) return 0;
  return ageMs < rampMs ? (ageMs * ageMs) / (2 * rampMs) : ageMs - rampMs / 2;
}
