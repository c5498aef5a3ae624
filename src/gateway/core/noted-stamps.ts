// Stamps that came beside the envelopes, until the message they are of is delivered. Few and bounded: what is not
// fetched (a message nobody here subscribes to) goes when newer ones need the room.

import type { TraceNote, TraceStamp } from '../../protocol/publication-trace.ts';
import { traceKey } from '../../protocol/publication-trace.ts';

const MAX_NOTES = 1_000;

export class NotedStamps {
  readonly #notes = new Map<string, readonly TraceStamp[]>();

  get size(): number {
    return this.#notes.size;
  }

  add(notes: readonly TraceNote[]): void {
    for (const note of notes) {
      this.#notes.set(traceKey(note), note.stamps);
      if (this.#notes.size <= MAX_NOTES) continue;
      const [oldest] = this.#notes.keys();
      if (oldest !== undefined) this.#notes.delete(oldest);
    }
  }

  /** The stamps of a message; none when it came without, through repair for example. */
  take(identity: { publisher: string; sequence: number }): readonly TraceStamp[] {
    const key = traceKey(identity);
    const stamps = this.#notes.get(key) ?? [];
    this.#notes.delete(key);
    return stamps;
  }
}
