// (8) The memory that all histories of a gateway share. When it is full, the message goes that came longest ago,
// whosever it is: a topic that is new then keeps its messages as long as all others do.

/** A message of some history. Its neighbours in line belong to the budget. */
export interface InLine {
  readonly frame: Uint8Array;
  readonly history: {
    /** Drops the message that is the first of this history in line, and takes it out of the line. */
    dropOldest(): void;
  };
  older: InLine | undefined;
  newer: InLine | undefined;
}

export class HistoryBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;
  #oldest: InLine | undefined;
  #newest: InLine | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** From now on the message may have to make room for others. */
  lineUp(message: InLine): void {
    message.older = this.#newest;
    if (this.#newest) this.#newest.newer = message;
    else this.#oldest = message;
    this.#newest = message;
  }

  /** Of one that is not in line, nothing happens. */
  leave(message: InLine): void {
    const { older, newer } = message;
    if (older) older.newer = newer;
    else if (this.#oldest === message) this.#oldest = newer;
    if (newer) newer.older = older;
    else if (this.#newest === message) this.#newest = older;
    // A dropped message that is old in the engine's eyes would keep its neighbours alive.
    message.older = message.newer = undefined;
  }

  /** Drops what came longest ago; false when there is too much also without all that is in line. */
  makeRoom(): boolean {
    while (this.#usedBytes > this.#maxBytes && this.#oldest) this.#oldest.history.dropOldest();
    return this.#usedBytes <= this.#maxBytes;
  }
}
