// When the fleet is full: who is refused, and when each refused client should come back. Waiting outside
// costs a client seconds; letting it in would cost everybody their latency.

const SHORTEST_MS = 2_000;
const LONGER_MS = 18_000;
/** A client that returns has waited before, and loses messages when its resume comes too late. */
const RETURNING_SHORTEST_MS = 1_000;
const RETURNING_LONGER_MS = 5_000;

/**
 * Retry-After = (2 + 18 q^2) s x uniform(0.5, 1.5), q = the share refused in the last seconds; for clients that
 * return (1 + 5 q^2) s. In ms.
 */
export function retryAfterMs(refusedShare: number, returning: boolean, random: number): number {
  const share = Math.min(1, Math.max(0, refusedShare));
  const meanMs = returning
    ? RETURNING_SHORTEST_MS + RETURNING_LONGER_MS * share * share
    : SHORTEST_MS + LONGER_MS * share * share;
  return ownTimeMs(meanMs, random);
}

/** A caller's own time to come back, so that those who came together do not come together again. */
export function ownTimeMs(meanMs: number, random: number): number {
  return Math.round(meanMs * (0.5 + random));
}
