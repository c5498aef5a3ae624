// The binary frames of publishers, brokers and gateways, each example made by the encoder of the real thing.

import { BUCKET_SET_BYTES } from '../../../src/protocol/bucket.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import {
  createFrameNames,
  decodePublishAck,
  decodePublishBatch,
  encodePublishAck,
  encodePublishBatch,
} from '../../../src/protocol/publication.ts';
import type { Section, SequencedMessage } from '../../../src/protocol/publication-envelope.ts';
import {
  decodeBrokerOut,
  encodeEnvelope,
  encodeHeads,
  writeSection,
} from '../../../src/protocol/publication-envelope.ts';
import {
  decodeRepairReply,
  decodeRepairRequest,
  encodeRepairReply,
  encodeRepairRequest,
} from '../../../src/protocol/publication-repair.ts';
import { decodeTraceNotes, encodeTraceNotes } from '../../../src/protocol/publication-trace.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';

const names = createFrameNames();
const to = new ByteWriter(256);
const buffers = (...frames: Uint8Array[]): Buffer[] => frames.map((frame) => Buffer.from(frame));

const written = (section: Section): Uint8Array => {
  const alone = new ByteWriter(64);
  writeSection(alone, section);
  return alone.take();
};

const source = { publisher: 'p1', origin: 'eu', hop: 1 };
const messages = (): SequencedMessage[] =>
  ['orders.eu', 'chat.1', 'orders.eu'].map((topic, i) => ({
    topic,
    data: Buffer.from(JSON.stringify({ n: i })),
    source: i === 2 ? { publisher: 'p2', origin: '', hop: 0 } : source,
    sequence: 1_000 + i,
    flags: i,
    publishedAtMs: 1_700_000_000_000 + i,
    offset: 300 * (i + 1),
  }));
const section = { bucket: 7, firstSequence: 900, messages: messages() };
const interest = new Uint8Array(BUCKET_SET_BYTES).fill(0x55);
const heads = [
  { bucket: 3, sequence: 9 },
  { bucket: 200, sequence: 70_000 },
];

export const BROKER_WIRE: Readonly<Record<string, FuzzedDecoder>> = {
  decodePublishBatch: {
    decode: (bytes) => decodePublishBatch(bytes, names),
    examples: buffers(encodePublishBatch(to, { batch: 300, messages: messages() })),
    encode: (batch) => encodePublishBatch(to, batch),
  },
  decodePublishAck: {
    decode: (bytes) => decodePublishAck(bytes, names),
    examples: buffers(
      encodePublishAck(to, {
        epoch: 'e1',
        acks: [
          { batch: 300, status: 'taken', refused: [{ index: 3, reason: 'bad-json' }] },
          { batch: 301, status: 'draining', refused: [] },
        ],
      }),
    ),
    encode: (ack) => encodePublishAck(to, ack),
  },
  decodeBrokerOut: {
    decode: (bytes) => decodeBrokerOut(bytes, names),
    examples: buffers(
      encodeEnvelope(to, 'narrow', 7, 'e1', [written(section)]),
      encodeEnvelope(to, 'wide', 0, 'e1', [written(section), written({ ...section, bucket: 8 })]),
      encodeHeads(to, { broker: 'b1', epoch: 'e1', state: 'bye', nowMs: 1_700_000_000_000, heads }),
    ),
  },
  decodeTraceNotes: {
    decode: (bytes) => decodeTraceNotes(bytes, names),
    examples: buffers(
      encodeTraceNotes(to, [
        { publisher: 'p1', sequence: 70_000, stamps: [{ hop: 1, by: 'p1', atMs: 1_700_000_000_000.25 }] },
        { publisher: 'p2', sequence: 1, stamps: [] },
      ]),
    ),
    encode: (notes) => encodeTraceNotes(to, notes),
  },
  decodeRepairRequest: {
    decode: (bytes) => decodeRepairRequest(bytes, names),
    examples: buffers(
      encodeRepairRequest(to, { request: 1, kind: 'heads', of: '', interest }),
      encodeRepairRequest(to, {
        request: 2,
        kind: 'range',
        of: '',
        bucket: 7,
        fromSequence: 5,
        toSequence: 900,
      }),
      encodeRepairRequest(to, { request: 3, kind: 'leave' }),
      encodeRepairRequest(to, { request: 4, kind: 'interest' }),
      encodeRepairRequest(to, {
        request: 5,
        kind: 'topics',
        of: 'e1',
        maxMessages: 300,
        maxBytes: 1_048_576,
        queries: [
          { topic: 'orders.eu', want: 'since', epoch: 'e1', afterOffset: 41 },
          { topic: 'chat.1', want: 'head', epoch: '', afterOffset: 0 },
        ],
      }),
    ),
    encode: (request) => encodeRepairRequest(to, request),
  },
  decodeRepairReply: {
    decode: (bytes) => decodeRepairReply(bytes, names),
    examples: buffers(
      encodeRepairReply(to, { request: 1, epoch: 'e1', kind: 'heads', upMs: 5_000, heads }),
      encodeRepairReply(to, {
        request: 2,
        epoch: 'e1',
        kind: 'range',
        bucket: 7,
        firstHeldSequence: 800,
        headSequence: 903,
        section,
      }),
      encodeRepairReply(to, { request: 3, epoch: 'e1', kind: 'leave' }),
      encodeRepairReply(to, { request: 6, epoch: 'e1', kind: 'not-held' }),
      encodeRepairReply(to, { request: 4, epoch: 'e1', kind: 'interest', interest }),
      encodeRepairReply(to, {
        request: 5,
        epoch: 'e1',
        kind: 'topics',
        answers: [
          { topic: 'orders.eu', status: 'complete', headOffset: 900, ownOffset: 4, messages: messages() },
          { topic: 'chat.1', status: 'trimmed', headOffset: 5, ownOffset: 4, messages: [] },
        ],
      }),
    ),
    encode: (reply) => encodeRepairReply(to, reply),
  },
};
