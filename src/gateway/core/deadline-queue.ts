// Things that all get the same time to happen: a queue in order of arrival, so that the oldest is always in
// front and no timer is needed for each. Used for the hello that a new connection owes.

export class DeadlineQueue<T> {
  readonly #forMs: number;
  #items: { item: T; dueMs: number }[] = [];
  #first = 0;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  add(item: T, nowMs: number): void {
    this.#items.push({ item, dueMs: nowMs + this.#forMs });
  }

  /** Removes and returns the items whose time is over. Those that are done are the caller's to skip. */
  takeDue(nowMs: number): T[] {
    const from = this.#first;
    while (this.#first < this.#items.length && this.#items[this.#first]!.dueMs <= nowMs) this.#first += 1;
    const due = this.#items.slice(from, this.#first).map(({ item }) => item);
    if (this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return due;
  }
}
