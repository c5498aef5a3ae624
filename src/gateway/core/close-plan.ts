// (8) Closes that are due later: who was asked to move gets until the deadline, and who is left then is closed
// one after another, not all at once.

export interface PlannedClose<T> {
  item: T;
  atMs: number;
  code: number;
}

export class ClosePlan<T> {
  #planned: PlannedClose<T>[] = [];

  get size(): number {
    return this.#planned.length;
  }

  add(closes: readonly PlannedClose<T>[]): void {
    this.#planned = [...this.#planned, ...closes].sort((a, b) => b.atMs - a.atMs);
  }

  /** Removes and returns what is due, soonest first. */
  takeDue(nowMs: number): PlannedClose<T>[] {
    const due: PlannedClose<T>[] = [];
    while (this.#planned.length > 0 && this.#planned.at(-1)!.atMs <= nowMs) due.push(this.#planned.pop()!);
    return due;
  }

  /** The drain was called off. */
  clear(): void {
    this.#planned = [];
  }
}
