// Notes of traced messages between their coming and their leaving. Empty nearly always: what is not traced costs the
// look at an empty list for each envelope.

import { bucketOf } from '../../protocol/bucket.ts';
import type { Publication } from '../../protocol/publication.ts';
import type { TraceNote } from '../../protocol/publication-trace.ts';
import { isTraced, TRACE_HOPS, TRACE_LIMITS, traceKey } from '../../protocol/publication-trace.ts';

interface PassingNote extends TraceNote {
  bucket: number;
}

export class PassingTraces {
  readonly #broker: string;
  readonly #fineMs: () => number;
  #waiting: PassingNote[] = [];
  #leaving: readonly PassingNote[] = [];

  constructor(broker: string, fineMs: () => number) {
    this.#broker = broker;
    this.#fineMs = fineMs;
  }

  /** Notes came with these messages. More than one frame may carry are dropped; their messages are not. */
  received(notes: readonly TraceNote[], messages: readonly Publication[]): void {
    const atMs = this.#fineMs();
    const bucketOfKey = new Map(
      messages
        .filter(isTraced)
        .map(({ source, sequence, topic }) => [
          traceKey({ publisher: source.publisher, sequence }),
          bucketOf(topic),
        ]),
    );
    for (const note of notes) {
      const bucket = bucketOfKey.get(traceKey(note));
      if (bucket === undefined || this.#waiting.length >= TRACE_LIMITS.maxNotes) continue;
      this.#waiting.push({ ...note, bucket, stamps: [...note.stamps, this.#stamp('received', atMs)] });
    }
  }

  /** What waits leaves now, with the envelopes that are sent until `left`. */
  leave(): void {
    if (this.#waiting.length === 0) return;
    const atMs = this.#fineMs();
    for (const { stamps } of this.#waiting) stamps.push(this.#stamp('forwarded', atMs));
    this.#leaving = this.#waiting;
    this.#waiting = [];
  }

  /** The notes for an envelope of one bucket, or of any. */
  leavingWith(bucket: number | undefined): readonly TraceNote[] | undefined {
    if (this.#leaving.length === 0) return undefined;
    const notes = this.#leaving.filter((one) => bucket === undefined || one.bucket === bucket);
    return notes.length === 0 ? undefined : notes;
  }

  left(): void {
    if (this.#leaving.length > 0) this.#leaving = [];
  }

  #stamp(hop: 'received' | 'forwarded', atMs: number): TraceNote['stamps'][number] {
    return { hop: TRACE_HOPS[hop], by: this.#broker, atMs };
  }
}
