// (7) Where a traced message has been and when. The notes travel as a second part of the ZeroMQ message that carries
// the messages: a peer that does not know them reads the first part alone, and one that does passes on stamps even
// of hops it does not know. A message without a traced publication has no second part.

import type { ByteWriter } from './bytes.ts';
import { ByteReader } from './bytes.ts';
import type { Decoded } from './decode.ts';
import { decoding } from './decode.ts';
import type { FrameNames, Publication } from './publication.ts';
import { MESSAGE_FLAG, readKind, writeKind } from './publication.ts';

export const TRACE_LIMITS = { maxNotes: 256, maxStamps: 16 } as const;

/** One in so many publications is traced unless the publisher says otherwise. */
export const TRACE_ONE_IN = 10_000;

/** The moments of a message's way, in their order. Numbers are never given twice. */
export const TRACE_HOPS = {
  published: 1,
  sent: 2,
  received: 3,
  forwarded: 4,
  arrived: 5,
  written: 6,
} as const;

export interface TraceStamp {
  /** A number of TRACE_HOPS, or one of a later version. */
  hop: number;
  /** Who was there: a publisher, broker or gateway. */
  by: string;
  /** Epoch ms with a fraction, by the clock of who was there. */
  atMs: number;
}

export interface TraceNote {
  /** The identity of the message. */
  publisher: string;
  sequence: number;
  stamps: TraceStamp[];
}

export function isTraced({ flags }: Publication): boolean {
  return (flags & MESSAGE_FLAG.traced) !== 0;
}

export function traceKey({ publisher, sequence }: { publisher: string; sequence: number }): string {
  return `${publisher}:${sequence}`;
}

const KIND_TRACE = 0x54;

/** At most `maxNotes` are written, and of each the first `maxStamps`. */
export function encodeTraceNotes(to: ByteWriter, notes: readonly TraceNote[]): Uint8Array {
  writeKind(to, KIND_TRACE);
  const written = notes.slice(0, TRACE_LIMITS.maxNotes);
  to.varint(written.length);
  for (const { publisher, sequence, stamps } of written) {
    const kept = stamps.slice(0, TRACE_LIMITS.maxStamps);
    to.name(publisher);
    to.varint(sequence);
    to.varint(kept.length);
    for (const { hop, by, atMs } of kept) {
      to.byte(hop);
      to.name(by);
      to.float64(atMs);
    }
  }
  return to.take();
}

/** Bytes behind the last note belong to a later version and are passed over. */
export function decodeTraceNotes(bytes: Uint8Array, names: FrameNames): Decoded<TraceNote[]> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    readKind(from, KIND_TRACE);
    const notes: TraceNote[] = [];
    const count = from.varint('notes', TRACE_LIMITS.maxNotes);
    for (let i = 0; i < count; i++) {
      const note: TraceNote = {
        publisher: from.name('publisher', names.ids),
        sequence: from.varint('sequence'),
        stamps: [],
      };
      const stamps = from.varint('stamps', TRACE_LIMITS.maxStamps);
      for (let k = 0; k < stamps; k++) {
        note.stamps.push({
          hop: from.byte('hop'),
          by: from.name('by', names.ids),
          atMs: from.float64('at'),
        });
      }
      notes.push(note);
    }
    return notes;
  });
}
