// How late messages come, by the probes of each broker. Its clock and that of this machine may be hours apart, so
// a probe is as late as it took longer than the quickest one of late.

/** A clock that is set back makes its probes look late for one to two of these. */
const WINDOW_MS = 60_000;
/** More lives of brokers than are there at a time. */
const MAX_PROBERS = 64;

interface Quickest {
  sinceMs: number;
  /** In this window and in the one before, by both clocks: only differences mean anything. */
  tookMs: number;
  tookBeforeMs: number;
}

export class CanaryLag {
  readonly #quickest = new Map<string, Quickest>();

  /** `publishedAtMs` by the clock of the prober, `nowMs` by the monotonic one here. */
  note(prober: string, publishedAtMs: number, nowMs: number): number {
    const tookMs = nowMs - publishedAtMs;
    let known = this.#quickest.get(prober);
    if (!known || nowMs - known.sinceMs > WINDOW_MS) {
      known = { sinceMs: nowMs, tookMs, tookBeforeMs: known?.tookMs ?? tookMs };
      this.#quickest.delete(prober);
      this.#quickest.set(prober, known);
      const [oldest] = this.#quickest.keys();
      if (this.#quickest.size > MAX_PROBERS) this.#quickest.delete(oldest!);
    }
    known.tookMs = Math.min(known.tookMs, tookMs);
    return tookMs - Math.min(known.tookMs, known.tookBeforeMs);
  }
}
