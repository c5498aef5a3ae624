// (8) How much waits for all clients together, or has come of all of them and is not whole. Looking at 15,000 sockets
// takes milliseconds, so each turn looks at a share of them: the sum is up to a round old, and slightly off for clients
// that came or went in between.

export class BufferSum<T> {
  readonly #members: readonly T[];
  readonly #bytesOf: (member: T) => number;
  readonly #turns: number;
  #next = 0;
  #roundBytes = 0;
  #bytes = 0;

  /** `members` may grow, shrink and change places between turns; a round takes `turns`. */
  constructor(members: readonly T[], turns: number, bytesOf: (member: T) => number) {
    this.#members = members;
    this.#bytesOf = bytesOf;
    this.#turns = turns;
  }

  /** As the last whole round found it. */
  get bytes(): number {
    return this.#bytes;
  }

  turn(): void {
    const count = this.#members.length;
    const end = Math.min(count, this.#next + Math.ceil(count / this.#turns));
    for (; this.#next < end; this.#next++) this.#roundBytes += this.#bytesOf(this.#members[this.#next]!);
    if (end < count) return;
    this.#bytes = this.#roundBytes;
    this.#roundBytes = 0;
    this.#next = 0;
  }
}
