// Retry timing shared by every client of ours. Full jitter: a random time up to an exponentially growing
// cap, which spreads a crowd better than any fixed or half-random wait (Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015).

export interface Backoff {
  minMs: number;
  maxMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { minMs: 250, maxMs: 20_000 };

/** Wait before try number `attempt` (0 = the first retry), in ms; `random` is in [0, 1). */
export function retryDelayMs(attempt: number, backoff: Backoff, random: number): number {
  const cap = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(attempt, 30));
  return Math.round(random * Math.max(cap, backoff.minMs));
}
