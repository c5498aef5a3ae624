// How late messages come, by the probes of each broker. Its clock and that of this machine may be hours apart, so
// a probe is as late as it took longer than the quickest one before it.

/**
 * How fast the quickest time is let go of, as a share of the time that passes. Four times what clocks may drift apart while
 * they are steered (500 ppm), and still slow: what is 2 s late counts as 1 s late after eight minutes.
 */
const FORGETTING = 0.002;
/** More lives of brokers than are there at a time. */
const MAX_PROBERS = 64;

interface Prober {
  /** Of its newest probe, by its clock and by this machine's. */
  publishedAtMs: number;
  cameAtMs: number;
  /** By both clocks: only differences mean anything. */
  quickestMs: number;
}

export class CanaryLag {
  readonly #probers = new Map<string, Prober>();

  /** `publishedAtMs` by the clock of the prober, `nowMs` by the monotonic one here. Answers ms. */
  note(prober: string, publishedAtMs: number, nowMs: number): number {
    const tookMs = nowMs - publishedAtMs;
    const before = this.#probers.get(prober);
    // A clock that was set back has begun anew.
    const isSameClock = before !== undefined && publishedAtMs >= before.publishedAtMs;
    const quickestMs = isSameClock
      ? Math.min(tookMs, before.quickestMs + FORGETTING * (nowMs - before.cameAtMs))
      : tookMs;
    this.#probers.delete(prober);
    this.#probers.set(prober, { publishedAtMs, cameAtMs: nowMs, quickestMs });
    const [oldest] = this.#probers.keys();
    if (this.#probers.size > MAX_PROBERS) this.#probers.delete(oldest!);
    return tookMs - quickestMs;
  }
}
