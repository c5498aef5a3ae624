// (2) A Herald that was itself asleep (SIGSTOP, a suspended VM, a long pause) must not blame others for the
// silence: every age it knows has grown by its own sleep. It notices by its ticks and holds its judgement
// until everybody had one period to be heard.

/** Ticks come every 100 ms or so; a gap of this size is no scheduling noise. */
const SLEPT_FROM_MS = 1_000;
const HOLD_MS = 1_000;
/** After a sleep of this length what is known may name gateways that are gone. */
const TOO_LONG_MS = 2_000;

/** What is told to those who ask meanwhile. */
export const PAUSED = 'this Herald was paused and waits for fresh reports';

export class SleepGuard {
  #tickedAtMs: number | undefined;
  #holdUntilMs = -Infinity;
  #sleptMs = 0;

  /** To be called before anything is judged: what had queued up meanwhile may be answered before the first tick. */
  notice(nowMs: number): void {
    const gapMs = this.#tickedAtMs === undefined ? 0 : nowMs - this.#tickedAtMs;
    if (gapMs < SLEPT_FROM_MS) return;
    this.#tickedAtMs = nowMs;
    this.#sleptMs = gapMs;
    this.#holdUntilMs = nowMs + HOLD_MS;
  }

  tick(nowMs: number): void {
    this.notice(nowMs);
    this.#tickedAtMs = nowMs;
    if (!this.holds(nowMs)) this.#sleptMs = 0;
  }

  holds(nowMs: number): boolean {
    return nowMs < this.#holdUntilMs;
  }

  /** Added to the age at which a gateway counts as silent. */
  graceMs(nowMs: number): number {
    return this.holds(nowMs) ? this.#sleptMs : 0;
  }

  /**
   * True while what is known is from before a sleep too long to be answered from: until the first tick after the
   * hold, by which all are judged again.
   */
  wokeUp(): boolean {
    return this.#sleptMs >= TOO_LONG_MS;
  }
}
