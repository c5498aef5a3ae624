// Valid input, damaged: bits flipped, pieces cut, doubled and swapped. Millions of lives of a port are mostly
// this and not noise. Own generator, since a decoder call costs less than a framework's bookkeeping.

import { describe, expect, it } from 'vitest';
import { decodeLookupReply } from '../../../src/client/lookup-answer.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { decodeAgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import type { Decoded } from '../../../src/protocol/decode.ts';
import { decodeJson } from '../../../src/protocol/decode.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import { decodeLookupQuery } from '../../../src/protocol/lookup.ts';
import { createFrameNames, decodePublishAck, decodePublishBatch } from '../../../src/protocol/publication.ts';
import { decodeBrokerOut, encodeHeads } from '../../../src/protocol/publication-envelope.ts';
import { decodeRepairReply, decodeRepairRequest } from '../../../src/protocol/publication-repair.ts';
import { decodeTablePart } from '../../../src/protocol/table-row.ts';
import { decodeTicket } from '../../../src/protocol/ticket.ts';
import { decodeFeedbackReply } from '../../../src/reporter/feedback-reply.ts';

/** Enough to find what is easy to find; CI looks longer. */
const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? (process.env['CI'] ? 200_000 : 10_000));

const names = createFrameNames();
const text = (bytes: Buffer): string => bytes.toString('latin1');
const json =
  (decode: (value: unknown) => Decoded<unknown>) =>
  (bytes: Buffer): Decoded<unknown> => {
    const value = decodeJson(text(bytes));
    return value.ok ? decode(value.value) : value;
  };

const report = {
  v: 1,
  gateway: 'g-1',
  url: 'ws://127.0.0.1:7410/ws',
  bootId: 'b',
  seq: 7,
  cpu: 0.5,
  labels: { a: 'b' },
  tickets: { h1: { admitted: 3 } },
};
const reply = {
  accepted: 1,
  periodMs: 500,
  heraldId: 'h1',
  nowMs: 12.5,
  heralds: ['http://127.0.0.1:7401'],
  brokers: [{ id: 'b', publish: 'tcp://127.0.0.1:1', state: 'up' }],
  directive: { shed: { orderId: 'o', count: 3, work: 0.5, spreadMs: 9 } },
};
const heads = Buffer.from(
  encodeHeads(new ByteWriter(64), {
    broker: 'b1',
    epoch: 'e1',
    state: 'up',
    nowMs: 1,
    heads: [{ bucket: 3, sequence: 9 }],
  }),
);

const DECODERS: Record<string, { decode: (bytes: Buffer) => Decoded<unknown>; seeds: Buffer[] }> = {
  decodeLoadReport: { decode: json(decodeLoadReport), seeds: seeds(report) },
  decodeTablePart: {
    decode: json(decodeTablePart),
    seeds: seeds({
      v: 1,
      herald: 'h',
      boot: 'b',
      rows: [{ g: 'g', url: 'ws://h/', seq: 1, u: 0.5, labels: {} }],
    }),
  },
  decodeFeedbackReply: { decode: (bytes) => decodeFeedbackReply(text(bytes)), seeds: seeds(reply) },
  decodeLookupReply: {
    decode: (bytes) => decodeLookupReply(text(bytes)),
    seeds: seeds({
      gateway: 'g',
      url: 'ws://h/',
      ticket: 't1.a',
      alternates: [{ gateway: 'k', url: 'wss://k/x', ticket: 't' }],
    }),
  },
  decodeLookupQuery: {
    decode: (bytes) => decodeLookupQuery(new URLSearchParams(text(bytes))),
    seeds: [Buffer.from('pool=p&zone=z&label=a=b&exclude=g1,g2&size=2&n=3&intent=move&key=%20x')],
  },
  decodeClientIn: {
    decode: (bytes) => decodeClientIn(text(bytes)),
    seeds: seeds(
      { op: 'sub', id: 1, c: ['a', { c: 'b', from: { e: 'e1', o: 4 } }] },
      { op: 'hello', v: 1, caps: ['gap'], token: 't' },
      { op: 'pub', id: 2, c: 'x', d: { deep: [1] } },
    ),
  },
  decodeClientOut: {
    decode: (bytes) => decodeClientOut(text(bytes)),
    seeds: seeds(
      { op: 'msg', c: 'a', e: 'e', o: 3, d: 1 },
      { op: 'gap', c: 'a', e: 'e', from: 1, n: 2, why: 'x' },
      { op: 'ok', id: 1, c: [{ c: 'a', e: 'e', o: 1, rec: true, err: { code: 4006, msg: 'm' } }] },
      { op: 'move', why: 'drain', spreadMs: 1, deadlineMs: 2, lookup: 'http://h' },
      {
        op: 'welcome',
        v: 1,
        caps: [],
        conn: 'c',
        gateway: 'g',
        pingMs: 9,
        max: { frame: 1 },
        lookup: ['http://h'],
      },
    ),
  },
  decodeTicket: {
    decode: (bytes) => decodeTicket(text(bytes)),
    seeds: [Buffer.from(`t1.h1.a.b.${'x'.repeat(22)}`)],
  },
  decodeAgentRequest: {
    decode: (bytes) => decodeAgentRequest(text(bytes)),
    seeds: [Buffer.from('be/srv\r')],
  },
  decodeBrokerOut: { decode: (bytes) => decodeBrokerOut(bytes, names), seeds: [heads] },
  decodePublishBatch: {
    decode: (bytes) => decodePublishBatch(bytes, names),
    seeds: [heads, Buffer.of(1, 1, 0)],
  },
  decodePublishAck: { decode: (bytes) => decodePublishAck(bytes, names), seeds: [heads, Buffer.of(1, 2, 0)] },
  decodeRepairRequest: {
    decode: (bytes) => decodeRepairRequest(bytes, names),
    seeds: [heads, Buffer.of(1, 5, 0)],
  },
  decodeRepairReply: {
    decode: (bytes) => decodeRepairReply(bytes, names),
    seeds: [heads, Buffer.of(1, 6, 0)],
  },
};

describe('damaged input', () => {
  for (const [name, { decode, seeds: from }] of Object.entries(DECODERS)) {
    it(`does not make ${name} throw, ${INPUTS} times`, () => {
      const random = xorshift(0x9e3779b9);
      let refused = 0;
      for (let i = 0; i < INPUTS; i++) {
        const bytes = damaged(from[i % from.length]!, random);
        let decoded: Decoded<unknown>;
        try {
          decoded = decode(bytes);
        } catch (error) {
          throw new Error(`${name} threw at ${bytes.toString('hex')}`, { cause: error });
        }
        if (!decoded.ok) refused += 1;
      }
      // Damage that is never noticed would mean that nothing is checked.
      expect(refused).toBeGreaterThan(INPUTS * 0.05);
    }, 120_000);
  }

  it('is refused at every cut of a valid text but the whole', () => {
    const whole = JSON.stringify(report);
    for (let length = 0; length < whole.length; length++) {
      expect(json(decodeLoadReport)(Buffer.from(whole.slice(0, length))).ok).toBe(false);
    }
    expect(json(decodeLoadReport)(Buffer.from(whole)).ok).toBe(true);
  });
});

function seeds(...values: unknown[]): Buffer[] {
  return values.map((value) => Buffer.from(JSON.stringify(value)));
}

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  'null',
  '-1',
  '1e999',
  '""',
  'NaN',
  '\\u0000',
  '__proto__',
  '0x',
];

function damaged(seed: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(seed);
  for (let change = 0; change <= random() % 4; change++) {
    const at = bytes.length === 0 ? 0 : random() % bytes.length;
    const length = random() % 12;
    switch (random() % 6) {
      case 0:
        if (bytes.length > 0) bytes[at]! ^= 1 << (random() % 8);
        break;
      case 1:
        bytes = bytes.subarray(0, at);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(TOKENS[random() % TOKENS.length]!),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(Array.from({ length }, () => random() & 0xff)),
          bytes.subarray(at + length),
        ]);
    }
  }
  return bytes;
}

/** Marsaglia's xorshift32: the same inputs in every run. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
