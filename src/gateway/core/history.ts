// (8) The last messages of one topic as frames, so that a client that comes back within two minutes misses
// nothing. What it cannot prove to be complete it does not give: resume is all or nothing.

import type { TopicPosition } from './feed-port.ts';

export interface HistoryLimits {
  maxMessages: number;
  maxBytes: number;
  maxAgeMs: number;
  /** The newest message stays whatever its age: every new subscriber gets it. */
  keepsNewest?: boolean;
}

interface Entry extends TopicPosition {
  frame: Uint8Array;
  atMs: number;
}

/** Bytes held by all histories of a gateway together, with their limit. One owner: the hub. */
export interface HistoryBudget {
  usedBytes: number;
  readonly maxBytes: number;
}

export class History {
  readonly #limits: HistoryLimits;
  readonly #budget: HistoryBudget;
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  /** Everything after this position is held; undefined = only what follows an entry is certain. */
  #base: TopicPosition | undefined;

  constructor(limits: HistoryLimits, budget: HistoryBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  get messages(): number {
    return this.#entries.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(epoch: string, offset: number, frame: Uint8Array, nowMs: number): void {
    this.#entries.push({ epoch, offset, frame, atMs: nowMs });
    this.#bytes += frame.length;
    this.#budget.usedBytes += frame.length;
    this.trim(nowMs);
  }

  /** Drops what is too old, too much, or over the budget of all topics. */
  trim(nowMs: number): void {
    const { maxMessages, maxBytes, maxAgeMs, keepsNewest = false } = this.#limits;
    while (this.messages > 0) {
      const oldest = this.#entries[this.#first]!;
      const isKept = keepsNewest && this.messages === 1;
      const within =
        this.#budget.usedBytes <= this.#budget.maxBytes &&
        (isKept ||
          (this.messages <= maxMessages && this.#bytes <= maxBytes && nowMs - oldest.atMs <= maxAgeMs));
      if (within) break;
      this.#dropOldest();
    }
    // Compacts now and then instead of shifting each time.
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  #dropOldest(): void {
    const oldest = this.#entries[this.#first]!;
    this.#base = { epoch: oldest.epoch, offset: oldest.offset };
    this.#bytes -= oldest.frame.length;
    this.#budget.usedBytes -= oldest.frame.length;
    // The slot would keep the frame alive until the next compaction.
    oldest.frame = EMPTY;
    this.#first += 1;
  }

  /** Forgets everything: what follows starts after `base`. */
  restart(base: TopicPosition | undefined): void {
    this.#budget.usedBytes -= this.#bytes;
    this.#entries = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#base = base;
  }

  /** Keeps only what follows `position`, when it is held; else keeps all. */
  restartAfter(position: TopicPosition): void {
    for (let i = this.#entries.length - 1; i >= this.#first; i--) {
      const { epoch, offset } = this.#entries[i]!;
      if (epoch !== position.epoch || offset > position.offset) continue;
      while (this.#first <= i) this.#dropOldest();
      break;
    }
    this.#base = { epoch: position.epoch, offset: position.offset };
  }

  /** The frames after `position`, oldest first; undefined when they are not all here. */
  after(position: TopicPosition): Uint8Array[] | undefined {
    for (let i = this.#entries.length - 1; i >= this.#first; i--) {
      const { epoch, offset } = this.#entries[i]!;
      if (offset === position.offset && epoch === position.epoch) return this.#framesFrom(i + 1);
    }
    if (this.#base === undefined) return undefined;
    const oldest = this.#entries[this.#first];
    const isBase = position.epoch === this.#base.epoch && position.offset === this.#base.offset;
    // Or it was reached elsewhere, and the next one is the first that came here.
    const isJustBefore = position.epoch === oldest?.epoch && position.offset === oldest.offset - 1;
    return isBase || isJustBefore ? this.#framesFrom(this.#first) : undefined;
  }

  /** The newest message, for topics whose subscribers get it at once. */
  last(): Uint8Array | undefined {
    return this.messages > 0 ? this.#entries.at(-1)!.frame : undefined;
  }

  #framesFrom(index: number): Uint8Array[] {
    return this.#entries.slice(index).map((entry) => entry.frame);
  }
}

const EMPTY = new Uint8Array(0);
