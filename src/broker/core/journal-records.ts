// What a broker writes down for its next life: the envelopes it sent, and where every bucket and topic stood when a
// file of them was begun. Bytes from a disk are read like those of a stranger, up to the first that make no sense: a
// broker that was killed may have left half a record.

import { ByteReader, ByteWriter } from '../../protocol/bytes.ts';
import { decoding, refuse } from '../../protocol/decode.ts';
import type { FrameNames } from '../../protocol/publication.ts';
import { createFrameNames } from '../../protocol/publication.ts';
import type { Envelope } from '../../protocol/publication-envelope.ts';
import { decodeBrokerOut } from '../../protocol/publication-envelope.ts';

/** Where a bucket stands: all that is needed to count what is missing of it. */
export interface BucketStand {
  bucket: number;
  head: number;
  /** At least that of any topic which is not named. */
  forgottenOffset: number;
  topics: { topic: string; offset: number }[];
}

export type JournalRecord =
  ({ kind: 'envelope' } & Envelope) | { kind: 'stand'; epoch: string; stand: BucketStand };

const KIND = { envelope: 1, stand: 2 } as const;
/** Kind, and the length and the checksum of what follows. */
const HEADER_BYTES = 9;

/** Of 32 bits; a machine that went down may have left zeros where a message was. */
export type Checksum = (bytes: Uint8Array) => number;

export function recordHeader(kind: keyof typeof KIND, record: Uint8Array, checksum: Checksum): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = KIND[kind];
  const view = new DataView(header.buffer);
  view.setUint32(1, record.length, true);
  view.setUint32(5, checksum(record), true);
  return header;
}

export function encodeStand(
  epoch: string,
  { bucket, head, forgottenOffset, topics }: BucketStand,
): Uint8Array {
  const to = new ByteWriter();
  to.name(epoch);
  to.byte(bucket);
  to.varint(head);
  to.varint(forgottenOffset);
  to.varint(topics.length);
  for (const { topic, offset } of topics) {
    to.name(topic);
    to.varint(offset);
  }
  return to.take();
}

/**
 * Calls `take` for every whole record of a file, in order. False where one is damaged: what a broker had written after it
 * is not known. Half a record at the end is what a killed one may leave, and was not acked.
 */
export function readJournal(
  bytes: Uint8Array,
  checksum: Checksum,
  take: (record: JournalRecord) => void,
): boolean {
  const names = createFrameNames();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const [kind, sum, start] = [bytes[at]!, view.getUint32(at + 5, true), at + HEADER_BYTES];
    at = start + view.getUint32(at + 1, true);
    if (at > bytes.length) return true;
    const body = bytes.subarray(start, at);
    const record = checksum(body) === sum ? readRecord(kind, body, names) : undefined;
    if (!record) return false;
    take(record);
  }
  return true;
}

function readRecord(kind: number, bytes: Uint8Array, names: FrameNames): JournalRecord | undefined {
  if (kind === KIND.envelope) {
    const out = decodeBrokerOut(bytes, names);
    return out.ok && out.value.kind === 'envelope' ? out.value : undefined;
  }
  const stand = decoding((): JournalRecord => {
    if (kind !== KIND.stand) refuse('kind', kind, '1 or 2');
    const from = new ByteReader(bytes);
    const epoch = from.name('epoch', names.epochs);
    const [bucket, head] = [from.byte('bucket'), from.varint('head')];
    const forgottenOffset = from.varint('forgotten');
    const topics: BucketStand['topics'] = [];
    for (let left = from.varint('topics'); left > 0; left--) {
      topics.push({ topic: from.name('topic', names.topics), offset: from.varint('offset') });
    }
    from.end();
    return { kind: 'stand', epoch, stand: { bucket, head, forgottenOffset, topics } };
  });
  return stand.ok ? stand.value : undefined;
}
