// (7) The binary frames between publishers, brokers and gateways. Many messages travel in one ZeroMQ message
// because the cost is per ZeroMQ message, not per publication. This file has what they share and the road
// in: publish batches and their acks. docs/broker.md draws every frame.

import type { ByteWriter } from './bytes.ts';
import { ByteReader, NameTable } from './bytes.ts';
import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';
import {
  EPOCH_PATTERN,
  EPOCH_WORDS,
  ID_PATTERN,
  ID_WORDS,
  OPTIONAL_EPOCH_PATTERN,
  OPTIONAL_EPOCH_WORDS,
  PLACE_PATTERN,
  PLACE_WORDS,
  TOPIC_PATTERN,
  TOPIC_WORDS,
} from './names.ts';

export const PUBLICATION_LIMITS = {
  /** One message's JSON. */
  maxDataBytes: 65_536,
  maxMessagesPerBatch: 1_024,
  /** A whole frame; larger ones close the connection (ZMQ_MAXMSGSIZE). */
  maxFrameBytes: 1_048_576,
  /** A batch or envelope is sent once it has grown to this. */
  targetFrameBytes: 131_072,
  maxSourcesPerBlock: 1_024,
  /** How far a publisher's unacknowledged sequences may spread; the window that finds duplicates is larger. */
  maxSequenceSpread: 49_152,
  maxAckedBatches: 4_096,
} as const;

/** Set by the sender of a message; unknown bits are kept. */
export const MESSAGE_FLAG = {
  /** A probe of the audit: measured and counted, delivered only to who subscribes to its topic. */
  canary: 1,
  /** The broker forgot this topic and numbers it anew: a jump of the offset here is no gap. */
  renumbered: 2,
  /** Sent before to a broker that went away since; may be new all the same. */
  resent: 4,
  /** Resent although that broker had acked it: it had a number there. */
  acked: 8,
  /** Each hop notes when it had it (publication-trace.ts). */
  traced: 16,
} as const;

/** Who published: an id unique over all publishers, the cluster it is in and the bridges crossed so far. */
export interface Source {
  publisher: string;
  /** Cluster where the message was first published; empty = that of the receiving broker. */
  origin: string;
  hop: number;
}

export interface Publication {
  topic: string;
  /** JSON, UTF-8. When decoded, a view on the frame. */
  data: Uint8Array;
  source: Source;
  /** The publisher's number for this message; (publisher, sequence) is its identity everywhere. */
  sequence: number;
  flags: number;
  /** Epoch ms, whole, by the publisher's clock. */
  publishedAtMs: number;
}

export interface PublishBatch {
  /** Chosen by the publisher, named again in the ack. */
  batch: number;
  messages: Publication[];
}

export const REFUSAL_REASONS = ['bad-json', 'too-old', 'too-many-hops', 'bad-frame'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface BatchAck {
  batch: number;
  /** `draining`: nothing was taken, send it to the next broker. `taken`: all but the refused are on their way. */
  status: 'taken' | 'draining';
  /** Index within the batch. Refused for good: sending it again changes nothing. */
  refused: { index: number; reason: RefusalReason }[];
}

export interface PublishAck {
  epoch: string;
  acks: BatchAck[];
}

export const FRAME_VERSION = 1;
const KIND_PUBLISH = 0x50;
const KIND_ACK = 0x41;

/** The names a reader of frames has met; one for each socket's reader. */
export interface FrameNames {
  topics: NameTable;
  ids: NameTable;
  places: NameTable;
  epochs: NameTable;
  optionalEpochs: NameTable;
}

export function createFrameNames(): FrameNames {
  return {
    topics: new NameTable(TOPIC_PATTERN, TOPIC_WORDS),
    ids: new NameTable(ID_PATTERN, ID_WORDS),
    places: new NameTable(PLACE_PATTERN, PLACE_WORDS),
    epochs: new NameTable(EPOCH_PATTERN, EPOCH_WORDS),
    optionalEpochs: new NameTable(OPTIONAL_EPOCH_PATTERN, OPTIONAL_EPOCH_WORDS),
  };
}

/** About what a message takes in a frame. */
export function frameBytesOf({ topic, data }: Publication): number {
  return data.length + topic.length + 16;
}

/** The most that a message can take in a frame, with a source of its own. */
export function mostFrameBytesOf({ topic, data, source }: Publication): number {
  return data.length + topic.length + source.publisher.length + source.origin.length + 40;
}

/** Checks the two bytes every frame has, kind and version. */
export function readKind(from: ByteReader, kind: number): void {
  const found = from.byte('kind');
  if (found !== kind) refuse('kind', found, `the byte ${kind}`);
  const version = from.byte('version');
  if (version !== FRAME_VERSION) refuse('version', version, `the byte ${FRAME_VERSION}`);
}

export function writeKind(to: ByteWriter, kind: number): void {
  to.byte(kind);
  to.byte(FRAME_VERSION);
}

/**
 * A block: the sources once, then the messages, each naming its source by index. With `offsetOf` every
 * message also carries its offset in the topic.
 */
export function writeBlock<M extends Publication>(
  to: ByteWriter,
  messages: readonly M[],
  offsetOf?: (message: M) => number,
): void {
  const sources = new Map<Source, number>();
  let base = Number.MAX_SAFE_INTEGER;
  for (const { source, publishedAtMs } of messages) {
    if (!sources.has(source)) sources.set(source, sources.size);
    if (publishedAtMs < base) base = publishedAtMs;
  }
  to.float64(base);
  to.varint(sources.size);
  for (const source of sources.keys()) {
    to.name(source.publisher);
    to.name(source.origin);
    to.byte(source.hop);
  }
  to.varint(messages.length);
  for (const message of messages) {
    to.byte(message.flags);
    to.varint(sources.get(message.source)!);
    to.varint(message.sequence);
    if (offsetOf) to.varint(offsetOf(message));
    to.varint(message.publishedAtMs - base);
    to.name(message.topic);
    to.varint(message.data.length);
    to.bytes(message.data);
  }
}

/** The inverse of `writeBlock`: calls `each` for every message, with offset 0 where there is none. */
export function readBlock(
  from: ByteReader,
  names: FrameNames,
  withOffsets: boolean,
  each: (message: Publication & { offset: number }) => void,
): void {
  const base = from.float64('time');
  const sources: Source[] = [];
  const sourceCount = from.varint('sources', PUBLICATION_LIMITS.maxSourcesPerBlock);
  for (let i = 0; i < sourceCount; i++) {
    sources.push({
      publisher: from.name('publisher', names.ids),
      origin: from.name('origin', names.places),
      hop: from.byte('hop'),
    });
  }
  const count = from.varint('messages', PUBLICATION_LIMITS.maxMessagesPerBatch);
  for (let i = 0; i < count; i++) {
    const flags = from.byte('flags');
    const source = sources[from.varint('source')] ?? refuse('source', i, `one of ${sources.length} sources`);
    const sequence = from.varint('sequence');
    const offset = withOffsets ? from.varint('offset') : 0;
    const publishedAtMs = base + from.varint('time');
    // The next hop could not decode it and would refuse the whole frame, with other publishers' messages in it.
    if (publishedAtMs > Number.MAX_SAFE_INTEGER) refuse('time', publishedAtMs, 'at most 2^53 - 1');
    const topic = from.name('topic', names.topics);
    const data = from.data('data', PUBLICATION_LIMITS.maxDataBytes);
    each({ topic, data, source, sequence, flags, publishedAtMs, offset });
  }
}

/** Publisher -> broker. At most `maxMessagesPerBatch` messages; the same Source object for the same source. */
export function encodePublishBatch(to: ByteWriter, batch: PublishBatch): Uint8Array {
  writeKind(to, KIND_PUBLISH);
  to.varint(batch.batch);
  writeBlock(to, batch.messages);
  return to.take();
}

export function decodePublishBatch(bytes: Uint8Array, names: FrameNames): Decoded<PublishBatch> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    readKind(from, KIND_PUBLISH);
    const batch = from.varint('batch');
    const messages: Publication[] = [];
    readBlock(from, names, false, (message) => messages.push(message));
    from.end();
    return { batch, messages };
  });
}

/** Broker -> publisher: one ack may answer many batches. */
export function encodePublishAck(to: ByteWriter, ack: PublishAck): Uint8Array {
  writeKind(to, KIND_ACK);
  to.name(ack.epoch);
  to.varint(ack.acks.length);
  for (const { batch, status, refused } of ack.acks) {
    to.varint(batch);
    to.byte(status === 'taken' ? 0 : 1);
    to.varint(refused.length);
    for (const { index, reason } of refused) {
      to.varint(index);
      to.byte(REFUSAL_REASONS.indexOf(reason));
    }
  }
  return to.take();
}

export function decodePublishAck(bytes: Uint8Array, names: FrameNames): Decoded<PublishAck> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    readKind(from, KIND_ACK);
    const epoch = from.name('epoch', names.epochs);
    const acks: BatchAck[] = [];
    const count = from.varint('acks', PUBLICATION_LIMITS.maxAckedBatches);
    for (let i = 0; i < count; i++) {
      const batch = from.varint('batch');
      const status = from.byte('status');
      if (status > 1) refuse('status', status, '0 (taken) or 1 (draining)');
      const refused: BatchAck['refused'] = [];
      const refusals = from.varint('refused', PUBLICATION_LIMITS.maxMessagesPerBatch);
      for (let k = 0; k < refusals; k++) {
        const index = from.varint('index', PUBLICATION_LIMITS.maxMessagesPerBatch);
        const code = from.byte('reason');
        refused.push({ index, reason: REFUSAL_REASONS[code] ?? refuse('reason', code, 'a known reason') });
      }
      acks.push({ batch, status: status === 0 ? 'taken' : 'draining', refused });
    }
    from.end();
    return { epoch, acks };
  });
}
