// What a client's word on the size of its connection counts. 1 is an average connection, so all together cannot be much
// larger than they are many: who says so of every lookup has strangers beside it, who would make a gateway look full.

/** The most that one lookup may count. */
const MAX_SIZE = 100;

export class SizeCredit {
  /** What sizes above 1 may still add; each lookup brings as much again as it counts by itself. */
  #left = MAX_SIZE;

  weigh(size: number): number {
    const added = Math.min(Math.max(0, size - 1), this.#left, MAX_SIZE - 1);
    this.#left = Math.min(MAX_SIZE, this.#left - added + 1);
    return Math.min(1, size) + added;
  }
}
