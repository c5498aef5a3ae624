// When the fleet is full: who is refused, and when each refused client should come back. Waiting outside
// costs a client seconds; letting it in would cost everybody their latency.

/** Retry-After = (2 + 18 q^2) s x uniform(0.5, 1.5), q = share of lookups refused lately. In ms. */
export function retryAfterMs(refusedShare: number, random: number): number {
  const share = Math.min(1, Math.max(0, refusedShare));
  return Math.round((2_000 + 18_000 * share * share) * (0.5 + random));
}
