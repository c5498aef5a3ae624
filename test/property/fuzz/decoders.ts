// Every decoder of bytes from outside, with examples that it takes and that reach its depths.

import { decodePublishRequest } from '../../../src/broker/publishing/publish-request.ts';
import { decodeBrokerAddress, decodeBrokerList } from '../../../src/protocol/broker-address.ts';
import { decodeJson } from '../../../src/protocol/decode.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import { decodeFeedbackReply } from '../../../src/reporter/core/feedback-reply.ts';
import { decodeRecordedLine } from '../../../src/sim/replay.ts';
import { BROKER_WIRE } from './broker-wire.ts';
import { CLIENT_WIRE } from './client-wire.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';
import { inJson, json, ofJson, ofText } from './fuzzed-decoder.ts';
import { OPERATOR_TEXTS } from './operator-texts.ts';
import { SHARED_ENTRIES } from './shared-entries.ts';

const REPORT = {
  v: 1,
  gateway: 'g-1',
  url: 'ws://127.0.0.1:7410/ws',
  bootId: 'b',
  seq: 7,
  periodMs: 500,
  pool: 'p',
  zone: 'z',
  capacity: 2,
  state: 'draining',
  cpu: 0.5,
  loopDelayP99Ms: 3.5,
  labels: { a: 'b' },
  tickets: { h1: { admitted: 3 } },
  connections: 10,
  acceptedTotal: 20,
};
const BROKER = {
  id: 'b1',
  publish: 'tcp://127.0.0.1:7420',
  subscribe: 'tcp://127.0.0.1:7430',
  repair: 'tcp://127.0.0.1:7440',
  http: 'http://127.0.0.1:7450',
  epoch: 'e1',
  state: 'up',
};
const REPLY = {
  accepted: 1,
  periodMs: 500,
  heraldId: 'h1',
  nowMs: 12.5,
  heralds: ['http://127.0.0.1:7401'],
  brokers: [BROKER],
};

export const DECODERS: Readonly<Record<string, FuzzedDecoder>> = {
  ...BROKER_WIRE,
  ...CLIENT_WIRE,
  ...OPERATOR_TEXTS,
  ...SHARED_ENTRIES,
  decodeLoadReport: {
    decode: ofJson(decodeLoadReport),
    examples: json(REPORT, { v: 1, kind: 'counters', gateway: 'g', url: 'wss://g/x', seq: 0 }),
    encode: inJson,
  },
  decodeFeedbackReply: {
    decode: ofText(decodeFeedbackReply),
    examples: json(
      { ...REPLY, directive: { shed: { orderId: 'o', count: 3, work: 0.5, spreadMs: 9 } } },
      { ...REPLY, directive: { drain: { orderId: 'o', reason: 'r', spreadMs: 9, deadlineMs: 10 } } },
      { ...REPLY, directive: { ready: { orderId: 'o' } } },
    ),
    encode: inJson,
  },
  decodeBrokerList: { decode: ofJson(decodeBrokerList), examples: json([BROKER, BROKER]), encode: inJson },
  decodeBrokerAddress: { decode: ofJson(decodeBrokerAddress), examples: json(BROKER), encode: inJson },
  decodePublishRequest: {
    decode: ofText(decodePublishRequest),
    examples: json({ topic: 'a', data: { x: [1, null] } }, [{ topic: 'a', data: 1 }], {
      messages: [
        { topic: 'a', data: 'x' },
        { topic: 'b', data: null },
      ],
    }),
  },
  decodeRecordedLine: {
    decode: ofText(decodeRecordedLine),
    examples: json(
      { t: 5, report: REPORT },
      {
        t: 6,
        lookup: {
          pool: 'p',
          labels: { a: 'b' },
          exclude: ['g'],
          size: 2,
          preferred: [{ key: 'k', value: 'v', weight: 0.5 }],
        },
      },
    ),
  },
  decodeJson: {
    decode: ofText(decodeJson),
    examples: json(REPORT, [1, 'x', null]),
    free: /^value/,
    takesNoise: true,
  },
};
