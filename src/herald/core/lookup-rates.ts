// How fast lookups come, now (3 s) and usually (300 s), and what share of them is refused. In a crowd a
// lookup looks at fewer gateways: when decisions outrun reports, knowing less herds less.

const FAST_MS = 3_000;
const SLOW_MS = 300_000;
/** Below this rate a few chance arrivals look like a crowd. */
const CROWD_FROM_PER_SEC = 5;

export class LookupRates {
  #lookups = 0;
  #refused = 0;
  #rolledAtMs: number | undefined;
  #fast = 0;
  #slow = 0;
  #refusedShare = 0;
  /** How much of each average is filled: it starts at 0 and would read too low. */
  #fastFill = 0;
  #slowFill = 0;

  countLookup(): void {
    this.#lookups++;
  }

  countRefusal(): void {
    this.#refused++;
  }

  roll(nowMs: number): void {
    if (this.#rolledAtMs === undefined || nowMs < this.#rolledAtMs) {
      this.#rolledAtMs = nowMs;
      return;
    }
    const tookMs = nowMs - this.#rolledAtMs;
    if (tookMs === 0) return;
    this.#rolledAtMs = nowMs;
    const perSec = 1_000 / tookMs;
    const fast = 1 - Math.exp(-tookMs / FAST_MS);
    const slow = 1 - Math.exp(-tookMs / SLOW_MS);
    this.#fast += fast * (this.#lookups * perSec - this.#fast);
    this.#slow += slow * (this.#lookups * perSec - this.#slow);
    // By time, not by lookups: when a quiet fleet refuses three clients in one bad moment, that is a moment.
    // A time in which nobody asked counts as one in which nobody was refused.
    const share = this.#lookups > 0 ? Math.min(1, this.#refused / this.#lookups) : 0;
    this.#refusedShare += fast * (share - this.#refusedShare);
    this.#fastFill += fast * (1 - this.#fastFill);
    this.#slowFill += slow * (1 - this.#slowFill);
    this.#lookups = 0;
    this.#refused = 0;
  }

  /** Lookups a second over the last 3 s. */
  get perSec(): number {
    return this.#fastFill > 0 ? this.#fast / this.#fastFill : 0;
  }

  /** Share of lookups refused, 0..1, as a mean over the last 3 s: it takes a while of refusing to come near 1. */
  get refusedShare(): number {
    return this.#refusedShare;
  }

  /** d = max(2, round(d * min(1, 2*rate300s/rate3s))) */
  drawsFor(draws: number): number {
    const now = this.perSec;
    if (now < CROWD_FROM_PER_SEC || this.#slowFill === 0) return draws;
    const usual = this.#slow / this.#slowFill;
    return Math.min(draws, Math.max(2, Math.round(draws * Math.min(1, (2 * usual) / now))));
  }
}
