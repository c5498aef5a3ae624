// Messages that were taken and have not left yet, by bucket; encoded once for every lane when they do.

import { ByteWriter } from '../../protocol/bytes.ts';
import { frameBytesOf, PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import { writeSection } from '../../protocol/publication-envelope.ts';
import type { LoggedMessage } from './message-shelves.ts';

/** What a message is taken to add to a frame beside its JSON. */
export const MESSAGE_FRAME_BYTES = 300;

/** Messages of one bucket, ready for envelopes. */
export interface OutgoingSection {
  bucket: number;
  bytes: Uint8Array;
  messages: number;
}

export class PendingSections {
  readonly #writer = new ByteWriter(PUBLICATION_LIMITS.targetFrameBytes);
  readonly #messages = new Map<number, LoggedMessage[]>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(bucket: number, message: LoggedMessage): void {
    this.#bytes += message.data.length + MESSAGE_FRAME_BYTES;
    const waiting = this.#messages.get(bucket);
    if (waiting) waiting.push(message);
    else this.#messages.set(bucket, [message]);
  }

  /** What came since the last call, a section a bucket (more for a busy one), in order. */
  take(): OutgoingSection[] {
    const writer = this.#writer;
    const written: { bucket: number; start: number; end: number; messages: number }[] = [];
    for (const [bucket, messages] of this.#messages) {
      for (const part of parts(messages)) {
        const start = writer.length;
        writeSection(writer, { bucket, firstSequence: part[0]!.bucketSequence, messages: part });
        written.push({ bucket, start, end: writer.length, messages: part.length });
      }
    }
    this.#messages.clear();
    this.#bytes = 0;
    // One buffer for all: under load a section holds a message or two, and a buffer costs more than that.
    const all = writer.take();
    return written.map(({ bucket, start, end, messages }) => ({
      bucket,
      bytes: all.subarray(start, end),
      messages,
    }));
  }
}

/** Splits so that no section passes the target size or the count a block may have. */
function parts(messages: LoggedMessage[]): LoggedMessage[][] {
  const found: LoggedMessage[][] = [];
  let part: LoggedMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = frameBytesOf(message);
    if (
      part.length > 0 &&
      (bytes + size > PUBLICATION_LIMITS.targetFrameBytes ||
        part.length >= PUBLICATION_LIMITS.maxMessagesPerBatch)
    ) {
      found.push(part);
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) found.push(part);
  return found;
}
