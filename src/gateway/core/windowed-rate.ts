// A total that only grows, read as a rate over the last two seconds: the window the reporter averages its own
// signals over, so that all of a report speaks of the same time.

const WINDOW_MS = 2_000;

export class WindowedRate {
  #samples: { atMs: number; total: number }[] = [];

  /** Notes the total and returns its growth a second over the window; 0 until there are two samples. */
  perSec(total: number, nowMs: number): number {
    this.#samples.push({ atMs: nowMs, total });
    // One sample older than the window stays: it is where the window begins.
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= nowMs - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    return nowMs > first.atMs ? ((total - first.total) * 1_000) / (nowMs - first.atMs) : 0;
  }
}
