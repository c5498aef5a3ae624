// Every decoder of bytes from outside, with examples that it takes and that reach its depths.

import type { AgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodeAgentRequest } from '../../../src/protocol/agent-check.ts';
import { decodePublishRequest } from '../../../src/broker/publish-request.ts';
import { decodeTable } from '../../../src/checks/core/table.ts';
import { decodeLookupReply } from '../../../src/client/lookup-answer.ts';
import { decodeHelpshift } from '../../../src/herald/core/helpshift/helpshift-config.ts';
import { decodeMoverRequest, decodeOperatorRequest } from '../../../src/herald/http/operator-request.ts';
import { decodeTableQuery } from '../../../src/herald/http/table-view.ts';
import { decodeDesired, encodeDesired } from '../../../src/herald/load-store/desired-entry.ts';
import { decodeHeraldAddress, encodeHeraldAddress } from '../../../src/herald/load-store/herald-address.ts';
import { decodeSnapshot } from '../../../src/herald/load-store/snapshot-file.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { decodeBrokerAddress, decodeBrokerList } from '../../../src/protocol/broker-address.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import type { Decoded } from '../../../src/protocol/decode.ts';
import { decodeJson } from '../../../src/protocol/decode.ts';
import { decodeLoadReport } from '../../../src/protocol/load-report.ts';
import { decodeLookupQuery, encodeLookupQuery } from '../../../src/protocol/lookup.ts';
import { decodeTableNews } from '../../../src/protocol/table-news.ts';
import { decodeTablePart, decodeTableRow } from '../../../src/protocol/table-row.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';
import { decodeFeedbackReply } from '../../../src/reporter/feedback-reply.ts';
import { decodeRecordedLine } from '../../../src/sim/replay.ts';
import { BROKER_WIRE } from './broker-wire.ts';

export interface FuzzedDecoder {
  decode: (bytes: Buffer) => Decoded<unknown>;
  /** Each is taken as it stands. */
  examples: Buffer[];
  /** An accepted value as bytes again, which must decode to the same value. */
  encode?: (value: never) => Uint8Array | string;
  /** Holds any JSON value of a program's own, in these fields. */
  free?: RegExp;
  /** Some noise may be taken: almost any text is a query or a name. */
  takesNoise?: true;
}

const text = (bytes: Buffer): string => bytes.toString('latin1');
const ofText =
  (decode: (text: string) => Decoded<unknown>) =>
  (bytes: Buffer): Decoded<unknown> =>
    decode(text(bytes));
const ofJson =
  (decode: (value: unknown) => Decoded<unknown>) =>
  (bytes: Buffer): Decoded<unknown> => {
    const value = decodeJson(text(bytes));
    return value.ok ? decode(value.value) : value;
  };
const json = (...values: unknown[]): Buffer[] => values.map((value) => Buffer.from(JSON.stringify(value)));
const inJson = (value: unknown): string => JSON.stringify(value);
const texts = (...values: string[]): Buffer[] => values.map((value) => Buffer.from(value));

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
const ROW = {
  g: 'g',
  url: 'ws://h/',
  pool: 'p',
  zone: 'z',
  cap: 2,
  boot: 'b',
  seq: 1,
  state: 'draining',
  period: 500,
  age: 3,
  u: 0.5,
  x: 0.6,
  c: 0.001,
  n: 4,
  y: 1.5,
  max: 9,
  labels: { a: 'b' },
};
const lineOf = (seq: number): string =>
  `{"g":"g${seq}","boot":"b","seq":${seq},"age":7,"url":"ws://h/","u":0.5}`;
const PART = { v: 1, herald: 'h', boot: 'b', rows: [ROW, { ...ROW, g: 'k' }] };
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
const DESIRED = { state: 'drain', reason: 'kernel', author: 'ops', until: 5, said: 3, forMs: 60_000 };

export const DECODERS: Readonly<Record<string, FuzzedDecoder>> = {
  ...BROKER_WIRE,
  decodeLoadReport: {
    decode: ofJson(decodeLoadReport),
    examples: json(REPORT, { v: 1, kind: 'counters', gateway: 'g', url: 'wss://g/x', seq: 0 }),
    encode: inJson,
  },
  decodeTablePart: { decode: ofJson(decodeTablePart), examples: json(PART) },
  decodeTableRow: { decode: ofJson(decodeTableRow), examples: json(ROW) },
  decodeTableNews: {
    decode: ofText((part) => decodeTableNews(part, (_gateway, _bootId, seq) => seq > 3)),
    examples: texts(
      JSON.stringify(PART),
      `{"v":1,"herald":"h","boot":"b","rows":[\n${[1, 5, 3, 9].map(lineOf).join(',\n')}\n]}`,
      '{"v":1,"herald":"h","boot":"b","rows":[]}',
    ),
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
  decodeLookupReply: {
    decode: ofText(decodeLookupReply),
    examples: json({
      gateway: 'g',
      url: 'ws://h/',
      ticket: 't1.a',
      alternates: [{ gateway: 'k', url: 'wss://k/x', ticket: 't' }],
      backoff: { minMs: 5, maxMs: 10 },
    }),
  },
  decodeLookupQuery: {
    decode: (bytes) => decodeLookupQuery(new URLSearchParams(text(bytes))),
    examples: texts(
      'pool=p&zone=z&label=a=b&exclude=g1,g2&size=2&n=3&intent=move&key=%20x&failed=t1.x&prefer=k=v@0.2',
      'n=0&size=0.5&label=a=b&label=c=d&intent=resume',
    ),
    encode: (value) => encodeLookupQuery(value).toString(),
    takesNoise: true,
  },
  decodeTableQuery: {
    decode: (bytes) => decodeTableQuery(new URLSearchParams(text(bytes))),
    examples: texts('order=picks&pool=p', 'order=age'),
    takesNoise: true,
  },
  decodeClientIn: {
    decode: ofText(decodeClientIn),
    examples: json(
      { op: 'sub', id: 1, c: ['a', { c: 'b', from: { e: 'e1', o: 4 } }] },
      { op: 'unsub', id: 2, c: ['a', 'b'] },
      { op: 'hello', v: 1, caps: ['gap'], token: 't' },
      { op: 'pub', id: 2, c: 'x', d: { deep: [1] } },
      { op: 'ping' },
      { op: 'teleport', id: 3 },
    ),
    free: /^value\.(d|fields)\b/,
  },
  decodeClientOut: {
    decode: ofText(decodeClientOut),
    examples: json(
      { op: 'msg', c: 'a', e: 'e', o: 3, d: 1 },
      { op: 'gap', c: 'a', e: 'e', from: 1, n: 2, why: 'x' },
      { op: 'ok', id: 1, c: [{ c: 'a', e: 'e', o: 1, rec: true, err: { code: 4006, msg: 'm' } }] },
      { op: 'err', id: 1, code: 4000, msg: 'm' },
      { op: 'move', why: 'drain', spreadMs: 1, deadlineMs: 2, lookup: 'http://h', ticket: 't' },
      {
        op: 'welcome',
        v: 1,
        caps: ['gap'],
        conn: 'c',
        gateway: 'g',
        pingMs: 9,
        max: { frame: 1, topics: 2, perSec: 3 },
        lookup: ['http://h'],
      },
    ),
    free: /^value\.d\b/,
  },
  decodeTicket: {
    decode: ofText(decodeTicket),
    examples: texts(`t1.h1.a.b.${'x'.repeat(22)}`, `t1.h.1.x.9zz.zz.${'-_Az09'.repeat(4).slice(2)}`),
    encode: encodeTicket,
  },
  decodeAgentRequest: {
    decode: ofText(decodeAgentRequest),
    examples: texts('be/srv\r', 'gateway-1'),
    encode: ({ backend, server }: AgentRequest) => (backend === '' ? server : `${backend}/${server}`),
    takesNoise: true,
  },
  decodeOperatorRequest: {
    decode: ofText((body) => decodeOperatorRequest(body, 'someone')),
    examples: json({ reason: 'r', forMs: 1_000, author: 'a' }),
    encode: inJson,
    // No body at all is a request without a reason.
    takesNoise: true,
  },
  decodeMoverRequest: {
    decode: ofText((body) => decodeMoverRequest(body, 'someone')),
    examples: json({ mode: 'dry-run', pool: 'chat', reason: 'r', author: 'a' }, { mode: 'off' }),
    encode: inJson,
  },
  decodePublishRequest: {
    decode: ofText(decodePublishRequest),
    examples: json({ topic: 'a', data: { x: [1, null] } }, [{ topic: 'a', data: 1 }], {
      messages: [
        { topic: 'a', data: 'x' },
        { topic: 'b', data: null },
      ],
    }),
  },
  decodeHeraldAddress: {
    decode: ofText(decodeHeraldAddress),
    examples: json({
      id: 'h1',
      control: 'http://127.0.0.1:7401',
      public: 'http://127.0.0.1:7400/x',
      admin: '',
      agent: '127.0.0.1:7402',
      started: 5,
    }),
    encode: encodeHeraldAddress,
  },
  decodeDesired: { decode: ofText(decodeDesired), examples: json(DESIRED), encode: encodeDesired },
  decodeSnapshot: {
    decode: ofText((body) => decodeSnapshot(body, 2_000, 'the file', silentLog)),
    examples: json({ v: 1, desired: { 'g-1': DESIRED, g: { state: 'up', unshared: true } }, parts: [PART] }),
  },
  decodeHelpshift: {
    decode: ofJson(decodeHelpshift),
    examples: json({
      name: 's',
      bind: '127.0.0.1',
      port: 5555,
      plugins: [
        {
          name: 'load',
          herald_plugin_name: 'herald_file',
          file_path: '/f',
          interval: 1,
          staleness_interval: 10,
          staleness_response: 'noop',
          thresholds_metric: 'float(r.split()[0])',
          thresholds: [{ pct: 64, min_threshold_response: 1 }, { drain: '>7' }, { down: 0 }],
        },
        {
          name: 'up',
          herald_plugin_name: 'herald_http',
          url: 'http://h/x',
          is_json: true,
          default_response: 'down',
          patterns_metric: "r['s']",
          patterns: [{ up: '.*ok.*' }],
        },
      ],
    }),
    // Compiled: an expression as a tree, a pattern as a RegExp.
    free: /^value\.plugins\.\d+\.rules\b/,
  },
  decodeTable: {
    decode: ofJson(decodeTable),
    examples: json({
      ageMs: 3,
      frozen: false,
      gateways: [{ gateway: 'g', pool: 'p', effectiveState: 'up', expectedScore: 0.5, connections: 4 }],
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
