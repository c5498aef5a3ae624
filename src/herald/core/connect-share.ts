// p: the learned share of tickets that become connections. Some clients never come; a lookup from a shell
// never does, nor do those of a flood. Starts at 0.95, remembers about ten seconds: what is expected of
// lookups must turn as fast as their senders can.

const START = 0.95;
const START_WEIGHT = 20;
const WINDOW_MS = 10_000;

export class ConnectShare {
  #came = 0;
  #lost = 0;
  #fadedAtMs: number | undefined;

  /** `lost` below 0: that many who had been given up did come. */
  count(came: number, lost: number): void {
    this.#came += came;
    this.#lost = Math.max(0, this.#lost + lost);
  }

  roll(nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - (this.#fadedAtMs ?? nowMs));
    this.#fadedAtMs = nowMs;
    const factor = Math.exp(-sinceMs / WINDOW_MS);
    this.#came *= factor;
    this.#lost *= factor;
  }

  /** 0..1 */
  get share(): number {
    return (this.#came + START * START_WEIGHT) / (this.#came + this.#lost + START_WEIGHT);
  }
}
