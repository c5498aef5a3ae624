// (7) Broker -> gateway: envelopes full of messages and the heartbeat that carries the heads. The first two
// bytes are what ZeroMQ filters on: a bucket and a lane. A gateway with few topics subscribes to the buckets
// it needs (lane narrow); one with many takes everything in few large envelopes (lane wide): at 50,000
// messages a second over 256 buckets a narrow envelope holds one message, a wide one hundreds.

import { BUCKET_COUNT } from './bucket.ts';
import type { ByteWriter } from './bytes.ts';
import { ByteReader } from './bytes.ts';
import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';
import type { FrameNames, Publication } from './publication.ts';
import { FRAME_VERSION, readBlock, writeBlock } from './publication.ts';

export const LANE = { narrow: 1, wide: 2, heads: 3 } as const;

/** A publication with its place: `offset` counts the topic's messages in the epoch, from 1. */
export interface SequencedMessage extends Publication {
  offset: number;
}

/** Consecutive messages of one bucket: the first has `firstSequence`, each next one more. */
export interface Section {
  bucket: number;
  firstSequence: number;
  messages: SequencedMessage[];
}

export interface Envelope {
  epoch: string;
  sections: Section[];
}

/** What is sent once a second, on every lane: without it a loss at the tail would never show. */
export interface Heads {
  broker: string;
  epoch: string;
  /** `bye`: the last heartbeat of this epoch; the heads are final. */
  state: 'up' | 'draining' | 'bye';
  /** Broker's wall clock, epoch ms. */
  nowMs: number;
  /** Last sequence of each bucket that has any. */
  heads: BucketHead[];
}

export interface BucketHead {
  bucket: number;
  sequence: number;
}

const STATES = ['up', 'draining', 'bye'] as const;

/** The two bytes to subscribe to for a bucket. */
export function bucketFilter(bucket: number): Uint8Array {
  return Uint8Array.of(bucket, LANE.narrow);
}
export const WIDE_FILTER: Uint8Array = Uint8Array.of(0, LANE.wide);
export const HEADS_FILTER: Uint8Array = Uint8Array.of(0, LANE.heads);

/** A section on its own, ready to be put into envelopes by `encodeEnvelope`. */
export function writeSection(to: ByteWriter, section: Section): void {
  to.byte(section.bucket);
  to.varint(section.firstSequence);
  writeBlock(to, section.messages, (message) => message.offset);
}

export function readSection(from: ByteReader, names: FrameNames): Section {
  const bucket = from.byte('bucket');
  const firstSequence = from.varint('firstSequence');
  const messages: SequencedMessage[] = [];
  readBlock(from, names, true, (message) => messages.push(message));
  return { bucket, firstSequence, messages };
}

/** An envelope of ready sections; on the narrow lane there is exactly one, of the given bucket. */
export function encodeEnvelope(
  to: ByteWriter,
  lane: 'narrow' | 'wide',
  bucket: number,
  epoch: string,
  sections: readonly Uint8Array[],
): Uint8Array {
  to.byte(lane === 'narrow' ? bucket : 0);
  to.byte(LANE[lane]);
  to.byte(FRAME_VERSION);
  to.name(epoch);
  to.varint(sections.length);
  for (const section of sections) to.bytes(section);
  return to.take();
}

export function encodeHeads(to: ByteWriter, heads: Heads): Uint8Array {
  to.byte(0);
  to.byte(LANE.heads);
  to.byte(FRAME_VERSION);
  to.name(heads.epoch);
  to.name(heads.broker);
  to.byte(STATES.indexOf(heads.state));
  to.float64(heads.nowMs);
  writeHeadList(to, heads.heads);
  return to.take();
}

export function writeHeadList(to: ByteWriter, heads: readonly BucketHead[]): void {
  to.varint(heads.length);
  for (const { bucket, sequence } of heads) {
    to.byte(bucket);
    to.varint(sequence);
  }
}

export function readHeadList(from: ByteReader): BucketHead[] {
  const count = from.varint('heads', BUCKET_COUNT);
  const heads: BucketHead[] = [];
  for (let i = 0; i < count; i++) heads.push({ bucket: from.byte('bucket'), sequence: from.varint('head') });
  return heads;
}

export type BrokerOut = ({ kind: 'envelope' } & Envelope) | ({ kind: 'heads' } & Heads);

/** Decodes whatever a gateway's SUB socket receives. */
export function decodeBrokerOut(bytes: Uint8Array, names: FrameNames): Decoded<BrokerOut> {
  return decoding(() => {
    const from = new ByteReader(bytes);
    const bucket = from.byte('bucket');
    const lane = from.byte('lane');
    const version = from.byte('version');
    if (version !== FRAME_VERSION) refuse('version', version, `the byte ${FRAME_VERSION}`);
    const epoch = from.name('epoch', names.epochs);
    if (lane === LANE.heads) return readHeads(from, names, epoch);
    if (lane !== LANE.narrow && lane !== LANE.wide) refuse('lane', lane, 'a lane: 1, 2 or 3');
    const sections: Section[] = [];
    const count = from.varint('sections', BUCKET_COUNT);
    for (let i = 0; i < count; i++) {
      const section = readSection(from, names);
      if (lane === LANE.narrow && section.bucket !== bucket) refuse('bucket', section.bucket, `${bucket}`);
      sections.push(section);
    }
    from.end();
    return { kind: 'envelope', epoch, sections };
  });
}

function readHeads(from: ByteReader, names: FrameNames, epoch: string): BrokerOut {
  const broker = from.name('broker', names.ids);
  const code = from.byte('state');
  const state = STATES[code] ?? refuse('state', code, '0 (up), 1 (draining) or 2 (bye)');
  const nowMs = from.float64('nowMs');
  const heads = readHeadList(from);
  from.end();
  return { kind: 'heads', broker, epoch, state, nowMs, heads };
}
