// Virtual time: what happens when, in order, with room in between for promises to go on.

export class Clockwork {
  readonly random: () => number;
  nowMs = 0;
  readonly #due: { atMs: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(random: () => number) {
    this.random = random;
  }

  after(ms: number, run: () => void): void {
    const one = { atMs: this.nowMs + ms, order: this.#order++, run };
    let at = this.#due.length;
    while (at > 0 && this.#due[at - 1]!.atMs > one.atMs) at -= 1;
    this.#due.splice(at, 0, one);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** A stream that keeps its order, and lags for a while now and then, as one does that has a hole to repair. */
  lane(): (run: () => void) => void {
    const lagsAtMs = this.random() < 0.5 ? this.random() * 15_000 : Infinity;
    const lagMs = this.random() * 3_000;
    let lastMs = 0;
    return (run) => {
      const isLagging = this.nowMs >= lagsAtMs && this.nowMs < lagsAtMs + lagMs;
      const dueMs = isLagging ? lagsAtMs + lagMs : this.nowMs + 1 + this.random() * 15;
      lastMs = Math.max(lastMs, dueMs);
      this.after(lastMs - this.nowMs, run);
    };
  }

  async run(untilMs: number): Promise<void> {
    for (let next = this.#due.shift(); next && next.atMs <= untilMs; next = this.#due.shift()) {
      this.nowMs = next.atMs;
      next.run();
      // Whatever was awaited goes on before the next event.
      for (let i = 0; i < 12; i++) await Promise.resolve();
    }
  }
}
