// (7) Messages of one bucket in the order of their sequences, kept as bytes and numbers and not as objects. A busy
// broker keeps a million for two minutes; as objects each of them would be half a dozen things that every garbage
// collection looks at, and the broker would stand still for tenths of a second at a time. Here they are a few things a
// shelf of 64, and a message becomes an object again when somebody asks for it.

import type { Source } from '../../protocol/publication.ts';
import type { SequencedMessage } from '../../protocol/publication-envelope.ts';

/** A message as it is kept. `previousSequence` chains the messages of a topic; 0 = none before. */
export interface LoggedMessage extends SequencedMessage {
  bucketSequence: number;
  previousSequence: number;
  /** When it came, on the broker's monotonic clock. */
  arrivedMs: number;
  /** Of a copy: where its topic stood at most in this broker's own epoch when the other broker sent it. */
  ownOffset: number;
}

/** What a message costs beside its JSON: its numbers, its names and its part of a shelf. */
export const MESSAGE_OVERHEAD_BYTES = 112;

/** Shelves of a bucket start small and double, since most buckets of most brokers are nearly empty. */
const FIRST_MESSAGES = 4;
const MOST_MESSAGES = 64;
const FIRST_BYTES = 512;
const MOST_BYTES = 65_536;

/** The numbers of a message, side by side. */
const OFFSET = 0;
const PREVIOUS = 1;
const ARRIVED = 2;
const OWN_OFFSET = 3;
const SEQUENCE = 4;
const PUBLISHED = 5;
const FLAGS = 6;
const DATA_END = 7;
const STRIDE = 8;

interface Shelf {
  firstSequence: number;
  numbers: Float64Array;
  topics: string[];
  sources: Source[];
  data: Uint8Array;
}

export class MessageShelves {
  #shelves: Shelf[] = [];
  #firstHeld: number;
  #next: number;

  /** `firstSequence`: that of the first message to come. */
  constructor(firstSequence: number) {
    this.#firstHeld = firstSequence;
    this.#next = firstSequence;
  }

  get firstHeld(): number {
    return this.#firstHeld;
  }

  get held(): number {
    return this.#next - this.#firstHeld;
  }

  /** The next one: its `bucketSequence` is one more than the last. Its data is copied. */
  push(message: LoggedMessage): void {
    const shelf = this.#shelfFor(message.data.length);
    const { numbers, topics, sources, data } = shelf;
    const at = topics.length * STRIDE;
    const dataStart = dataEnd(shelf, topics.length - 1);
    numbers[at + OFFSET] = message.offset;
    numbers[at + PREVIOUS] = message.previousSequence;
    numbers[at + ARRIVED] = message.arrivedMs;
    numbers[at + OWN_OFFSET] = message.ownOffset;
    numbers[at + SEQUENCE] = message.sequence;
    numbers[at + PUBLISHED] = message.publishedAtMs;
    numbers[at + FLAGS] = message.flags;
    numbers[at + DATA_END] = dataStart + message.data.length;
    topics.push(message.topic);
    sources.push(message.source);
    data.set(message.data, dataStart);
    this.#next += 1;
  }

  /** The message with that sequence, with its data as a view; undefined when it is not held. */
  at(sequence: number): LoggedMessage | undefined {
    if (sequence < this.#firstHeld || sequence >= this.#next) return undefined;
    const shelf = this.#shelfOf(sequence);
    const index = sequence - shelf.firstSequence;
    const at = index * STRIDE;
    const { numbers } = shelf;
    return {
      topic: shelf.topics[index]!,
      data: shelf.data.subarray(dataEnd(shelf, index - 1), numbers[at + DATA_END]),
      source: shelf.sources[index]!,
      sequence: numbers[at + SEQUENCE]!,
      flags: numbers[at + FLAGS]!,
      publishedAtMs: numbers[at + PUBLISHED]!,
      offset: numbers[at + OFFSET]!,
      bucketSequence: sequence,
      previousSequence: numbers[at + PREVIOUS]!,
      arrivedMs: numbers[at + ARRIVED]!,
      ownOffset: numbers[at + OWN_OFFSET]!,
    };
  }

  /** When the oldest came; Infinity when none is held. */
  oldestArrivedMs(): number {
    const shelf = this.#shelves[0];
    if (!shelf) return Infinity;
    return shelf.numbers[(this.#firstHeld - shelf.firstSequence) * STRIDE + ARRIVED]!;
  }

  /** Drops the oldest; answers the bytes of its data. The memory goes with the last one of its shelf. */
  shift(): number {
    const shelf = this.#shelves[0];
    if (!shelf) return 0;
    const index = this.#firstHeld - shelf.firstSequence;
    this.#firstHeld += 1;
    if (index === shelf.topics.length - 1) this.#shelves.shift();
    return dataEnd(shelf, index) - dataEnd(shelf, index - 1);
  }

  #shelfFor(dataBytes: number): Shelf {
    const last = this.#shelves.at(-1);
    if (!last) return this.#add(FIRST_MESSAGES, Math.max(FIRST_BYTES, dataBytes));
    const count = last.topics.length;
    const used = dataEnd(last, count - 1);
    const capacity = last.numbers.length / STRIDE;
    if (count < capacity && used + dataBytes <= last.data.length) return last;
    const more = Math.min(MOST_MESSAGES, 2 * capacity);
    // As many bytes as so many messages will need if they are like the last ones.
    const wanted = Math.min(MOST_BYTES, Math.ceil((used / count) * more * 1.1));
    return this.#add(more, Math.max(wanted, dataBytes));
  }

  #add(messages: number, dataBytes: number): Shelf {
    const made: Shelf = {
      firstSequence: this.#next,
      numbers: new Float64Array(STRIDE * messages),
      topics: [],
      sources: [],
      data: new Uint8Array(dataBytes),
    };
    this.#shelves.push(made);
    return made;
  }

  #shelfOf(sequence: number): Shelf {
    let [low, high] = [0, this.#shelves.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#shelves[middle]!.firstSequence <= sequence) low = middle;
      else high = middle - 1;
    }
    return this.#shelves[low]!;
  }
}

/** Where the data of the message at `index` ends; 0 for the one before the first. */
function dataEnd({ numbers }: Shelf, index: number): number {
  return index < 0 ? 0 : numbers[index * STRIDE + DATA_END]!;
}
