// What happens when: one list of clients per 10 ms of the run. A client waits for one thing at a time, so a
// list is a chain through one Int32Array and no event is ever allocated. Later than the end never happens.

export const STEP_MS = 10;

export class Calendar {
  readonly #heads: Int32Array;
  #next = new Int32Array(1 << 16);

  constructor(endMs: number) {
    this.#heads = new Int32Array(Math.ceil(endMs / STEP_MS) + 1).fill(-1);
  }

  get steps(): number {
    return this.#heads.length;
  }

  /** `client` is due at `atMs`, or at the next step when that is over. It must not be waiting already. */
  add(client: number, atMs: number, step: number): boolean {
    const due = Math.max(step + 1, Math.round(atMs / STEP_MS));
    if (due >= this.#heads.length) return false;
    if (client >= this.#next.length) {
      const larger = new Int32Array(Math.max(client + 1, this.#next.length * 2));
      larger.set(this.#next);
      this.#next = larger;
    }
    this.#next[client] = this.#heads[due]!;
    this.#heads[due] = client;
    return true;
  }

  /** Calls `visit` for everyone due at `step`; visited clients may be added again. */
  run(step: number, visit: (client: number) => void): void {
    let client = this.#heads[step]!;
    this.#heads[step] = -1;
    while (client >= 0) {
      const next = this.#next[client]!;
      visit(client);
      client = next;
    }
  }
}
