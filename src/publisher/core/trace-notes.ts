// Which publications are traced, and what a publisher notes of them: when they were handed over and when they left.

import type { Publication } from '../../protocol/publication.ts';
import { MESSAGE_FLAG } from '../../protocol/publication.ts';
import type { TraceNote } from '../../protocol/publication-trace.ts';
import { isTraced, TRACE_HOPS } from '../../protocol/publication-trace.ts';
import { pairHash } from '../../protocol/rendezvous.ts';

export class TraceNotes {
  readonly #by: string;
  readonly #oneIn: number;
  readonly #fineMs: () => number;
  /** Of the publisher asked about last; nearly always the same one. */
  #phase = { publisher: '', hash: 0 };
  /** When traced messages were published, with a fraction; forgotten with the message. */
  readonly #publishedMs = new WeakMap<Publication, number>();

  /** `by`: who makes the notes; the messages may be of others. `oneIn` 0 = only those that are asked for. */
  constructor(by: string, oneIn: number, fineMs: () => number) {
    if (!Number.isSafeInteger(oneIn) || oneIn < 0) {
      throw new RangeError(`traceOneIn: ${oneIn} is not a whole number from 0`);
    }
    this.#by = by;
    this.#oneIn = oneIn;
    this.#fineMs = fineMs;
  }

  /** By identity, so that a bridge decides as the first publisher did. */
  samples(publisher: string, sequence: number): boolean {
    if (this.#oneIn === 0) return false;
    if (this.#phase.publisher !== publisher) this.#phase = { publisher, hash: pairHash('trace', publisher) };
    return (sequence + this.#phase.hash) % this.#oneIn === 0;
  }

  /** The message was handed over just now, and is to be traced. */
  begin(message: Publication): void {
    message.flags |= MESSAGE_FLAG.traced;
    this.#publishedMs.set(message, this.#fineMs());
  }

  /** The notes that go with a batch which leaves now; undefined when nothing in it is traced. */
  of(messages: readonly Publication[]): TraceNote[] | undefined {
    if (!messages.some(isTraced)) return undefined;
    const [by, sentMs] = [this.#by, this.#fineMs()];
    return messages.filter(isTraced).map((message) => ({
      publisher: message.source.publisher,
      sequence: message.sequence,
      stamps: [
        { hop: TRACE_HOPS.published, by, atMs: this.#publishedMs.get(message) ?? message.publishedAtMs },
        { hop: TRACE_HOPS.sent, by, atMs: sentMs },
      ],
    }));
  }
}
