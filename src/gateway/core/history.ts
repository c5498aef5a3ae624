// (8) The last messages of one topic as frames, so that a client that comes back within two minutes misses
// nothing. What it cannot prove to be complete it does not give: resume is all or nothing.

import type { TopicPosition } from './feed-port.ts';
import type { HistoryBudget, InLine } from './history-budget.ts';

export interface HistoryLimits {
  maxMessages: number;
  maxBytes: number;
  maxAgeMs: number;
  /** The newest message stays whatever its age: every new subscriber gets it. */
  keepsNewest?: boolean;
}

/** A frame names its epoch only where that changed when it came. */
export interface KeptFrame extends TopicPosition {
  frame: Uint8Array;
}

interface Entry extends KeptFrame, InLine {
  frame: Uint8Array;
  atMs: number;
}

/** Messages of an epoch up to `offset` are not held. */
interface Base {
  offset: number;
  /** When the last of them passed; -Infinity = none was ever held. */
  atMs: number;
  /** When it was told that some of them are lost; -Infinity = it never was. */
  lostMs: number;
}

/** Epochs whose base is remembered. */
const MAX_BASES = 16;

export class History {
  readonly #limits: HistoryLimits;
  readonly #budget: HistoryBudget;
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  #bases = new Map<string, Base>();
  /** When something was lost that nobody can count. */
  #holedMs = -Infinity;

  constructor(limits: HistoryLimits, budget: HistoryBudget) {
    this.#limits = limits;
    this.#budget = budget;
  }

  get messages(): number {
    return this.#entries.length - this.#first;
  }

  /** `nowMs`: -Infinity for one that did not pass here, and so proves nothing of what else its readers have had. */
  push(epoch: string, offset: number, frame: Uint8Array, nowMs: number): void {
    const entry: Entry = {
      epoch,
      offset,
      frame,
      atMs: nowMs,
      history: this,
      older: undefined,
      newer: undefined,
    };
    const before = this.messages > 0 ? this.#entries.at(-1) : undefined;
    this.#entries.push(entry);
    this.#bytes += frame.length;
    this.#budget.take(frame.length);
    const movable = this.#limits.keepsNewest ? before : entry;
    if (movable) this.#budget.lineUp(movable);
    // Newest messages that are kept may fill the budget alone: then this topic's own is not.
    if (!this.#budget.makeRoom()) this.dropOldest();
    this.trim(nowMs);
  }

  /** Drops what is too old or too much. */
  trim(nowMs: number): void {
    const { maxMessages, maxBytes, maxAgeMs, keepsNewest = false } = this.#limits;
    while (this.messages > (keepsNewest ? 1 : 0)) {
      const oldest = this.#entries[this.#first]!;
      if (this.messages <= maxMessages && this.#bytes <= maxBytes && nowMs - oldest.atMs <= maxAgeMs) break;
      this.dropOldest();
    }
    // Compacts now and then instead of shifting each time.
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }

  dropOldest(): void {
    const oldest = this.#entries[this.#first]!;
    this.#setBase(oldest.epoch, oldest.offset, oldest.atMs);
    this.#bytes -= oldest.frame.length;
    this.#budget.giveBack(oldest.frame.length);
    this.#budget.leave(oldest);
    // The slot would keep the frame alive until the next compaction.
    oldest.frame = EMPTY;
    this.#first += 1;
  }

  #setBase(epoch: string, offset: number, atMs = -Infinity, lostMs = -Infinity): void {
    const known = this.#bases.get(epoch);
    this.#bases.delete(epoch);
    this.#bases.set(epoch, {
      offset: Math.max(offset, known?.offset ?? 0),
      atMs: Math.max(atMs, known?.atMs ?? -Infinity),
      lostMs: Math.max(lostMs, known?.lostMs ?? -Infinity),
    });
    if (this.#bases.size <= MAX_BASES) return;
    const [oldest] = this.#bases.keys();
    this.#bases.delete(oldest!);
  }

  /** Forgets everything: what follows starts after `base`. */
  restart(base: TopicPosition): void {
    this.clear();
    this.#setBase(base.epoch, base.offset);
  }

  /** Forgets everything before a counted hole, of whichever epoch, that ends with `last`. */
  restartAfterLoss(last: TopicPosition, nowMs: number): void {
    this.clear();
    this.#setBase(last.epoch, last.offset, -Infinity, nowMs);
  }

  /** Forgets everything before a hole that nobody can count. */
  restartAfterHole(nowMs: number): void {
    this.clear();
    this.#bases.clear();
    this.#holedMs = nowMs;
  }

  clear(): void {
    while (this.messages > 0) this.dropOldest();
    this.#entries = [];
    this.#first = 0;
  }

  /** Keeps only what follows `position`, when it is held; else keeps all. */
  restartAfter(position: TopicPosition): void {
    for (let i = this.#entries.length - 1; i >= this.#first; i--) {
      const { epoch, offset } = this.#entries[i]!;
      if (epoch !== position.epoch || offset > position.offset) continue;
      while (this.#first <= i) this.dropOldest();
      break;
    }
    this.#setBase(position.epoch, position.offset);
  }

  /** When the message at a position passed here; undefined or -Infinity = it did not, or was forgotten since. */
  passedMs({ epoch, offset }: TopicPosition): number | undefined {
    for (let i = this.#entries.length - 1; i >= this.#first; i--) {
      const entry = this.#entries[i]!;
      if (entry.offset === offset && entry.epoch === epoch) return entry.atMs;
    }
    const base = this.#bases.get(epoch);
    return base?.offset === offset ? base.atMs : undefined;
  }

  /** Whether a client at this position has been told of the last uncountable hole, or the hole is too old to matter. */
  isPastHole({ epoch, offset }: TopicPosition, nowMs: number): boolean {
    if (nowMs - this.#holedMs > this.#limits.maxAgeMs) return true;
    const first = this.#entries
      .slice(this.#first)
      .find((entry) => entry.epoch === epoch && entry.atMs >= this.#holedMs);
    return offset >= Math.min(first?.offset ?? Infinity, this.#bases.get(epoch)?.offset ?? Infinity);
  }

  /**
   * What came here and a client has not seen, oldest first; undefined when part of it is not held any more. `seen`
   * says how far it has seen each epoch. Of an epoch that it names not at all it may have missed what came, or was lost,
   * since `elsewhereSinceMs`.
   */
  unseen(seen: ReadonlyMap<string, number>, elsewhereSinceMs = -Infinity): KeptFrame[] | undefined {
    for (const [epoch, base] of this.#bases) {
      const offset = seen.get(epoch);
      const isMissed = Math.max(base.atMs, base.lostMs) > elsewhereSinceMs;
      if (offset === undefined ? isMissed : offset < base.offset) return undefined;
    }
    return this.#entries.slice(this.#first).filter(({ epoch, offset, atMs }) => {
      const until = seen.get(epoch);
      return until === undefined ? atMs >= elsewhereSinceMs : offset > until;
    });
  }

  /** The newest message, for topics whose subscribers get it at once. */
  last(): Uint8Array | undefined {
    return this.messages > 0 ? this.#entries.at(-1)!.frame : undefined;
  }
}

const EMPTY = new Uint8Array(0);
