// (1) The ticket clock of one Herald, learned from its replies: a gateway judges a ticket's age with it, and
// no two machines need to agree on the time of day.

/** An estimate this old gives way to a worse one: clocks drift, and a Herald may have restarted. */
const TRUST_MS = 30_000;

export interface ClockOffset {
  /** `sentMs` and `receivedMs` on our clock, `theirMs` the reply's. */
  observe(sentMs: number, receivedMs: number, theirMs: number): void;
  /** Add this to our clock to get theirs; undefined before the first reply. */
  offsetMs(): number | undefined;
}

/**
 * Keeps the offset seen over the shortest round trip of the last 30 s: its error is at most half that trip
 * (Cristian, "Probabilistic clock synchronization", 1989). A jump beyond any round trip is a new clock.
 */
export function createClockOffset(): ClockOffset {
  let best: { offsetMs: number; tripMs: number; atMs: number } | undefined;
  return {
    observe(sentMs, receivedMs, theirMs) {
      const tripMs = Math.max(0, receivedMs - sentMs);
      const offsetMs = theirMs - (sentMs + receivedMs) / 2;
      const jumped =
        best !== undefined && Math.abs(offsetMs - best.offsetMs) > 1 + (tripMs + best.tripMs) / 2;
      if (!best || jumped || tripMs <= best.tripMs || receivedMs - best.atMs > TRUST_MS) {
        best = { offsetMs, tripMs, atMs: receivedMs };
      }
    },
    offsetMs: () => best?.offsetMs,
  };
}
