// Which sequence numbers of a sender were seen: how a retry, a second bridge or a re-sent message is known
// as a duplicate. A bit a number, over the newest 65,536 numbers; a sender of few messages costs few bytes.

export type Sighting = 'new' | 'seen' | 'old';

export const WINDOW_SEQUENCES = 65_536;
const FIRST_SIZE = 32;

/** Numbers come nearly in order; what is older than the window is `old`, because nobody can tell any more. */
export class SequenceWindow {
  #bits = new Uint32Array(FIRST_SIZE / 32);
  #size = FIRST_SIZE;
  #lowest = -1;
  #highest = -1;

  /** Notes `sequence` and says whether it was there before. */
  mark(sequence: number): Sighting {
    if (this.#highest < 0) {
      this.#lowest = sequence;
      this.#highest = sequence;
      this.#set(sequence);
      return 'new';
    }
    if (sequence <= this.#highest - WINDOW_SEQUENCES) return 'old';
    if (sequence < this.#lowest) this.#lowest = sequence;
    this.#cover(Math.max(sequence, this.#highest) - this.#lowest + 1);
    if (sequence > this.#highest) this.#advance(sequence);
    else if (this.#has(sequence)) return 'seen';
    this.#set(sequence);
    return 'new';
  }

  /** Moves the newest number up and clears the bits that now stand for numbers not seen yet. */
  #advance(sequence: number): void {
    if (sequence - this.#highest >= this.#size) this.#bits.fill(0);
    else for (let i = this.#highest + 1; i < sequence; i++) this.#clear(i);
    this.#highest = sequence;
  }

  /** Grows to `span` numbers before any seen number would be forgotten, up to the window. */
  #cover(span: number): void {
    if (span <= this.#size || this.#size === WINDOW_SEQUENCES) return;
    let size = this.#size;
    while (size < span && size < WINDOW_SEQUENCES) size *= 2;
    const [oldBits, oldSize] = [this.#bits, this.#size];
    this.#bits = new Uint32Array(size / 32);
    this.#size = size;
    const first = Math.max(0, this.#highest - oldSize + 1);
    for (let i = first; i <= this.#highest; i++) {
      const at = i % oldSize;
      if ((oldBits[at >>> 5]! >>> (at & 31)) & 1) this.#set(i);
    }
  }

  #has(sequence: number): boolean {
    const at = sequence % this.#size;
    return ((this.#bits[at >>> 5]! >>> (at & 31)) & 1) === 1;
  }

  #set(sequence: number): void {
    const at = sequence % this.#size;
    this.#bits[at >>> 5]! |= 1 << (at & 31);
  }

  #clear(sequence: number): void {
    const at = sequence % this.#size;
    this.#bits[at >>> 5]! &= ~(1 << (at & 31));
  }
}

/**
 * Windows of many senders, bounded: past `maxSenders` the ones unheard of longest go. Two generations stand
 * in for a strict order, which would cost a map write a message.
 */
export class SenderWindows<T> {
  readonly #maxYoung: number;
  readonly #create: (sender: string) => T;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(maxSenders: number, create: (sender: string) => T) {
    this.#maxYoung = Math.max(1, Math.ceil(maxSenders / 2));
    this.#create = create;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  of(sender: string): T {
    const found = this.#young.get(sender);
    if (found !== undefined) return found;
    const kept = this.#old.get(sender) ?? this.#create(sender);
    this.#old.delete(sender);
    if (this.#young.size >= this.#maxYoung) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(sender, kept);
    return kept;
  }
}
