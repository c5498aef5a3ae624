// What clients and gateways say to each other, and what a client asks of a Herald.

import { decodeLookupReply } from '../../../src/client/core/lookup-answer.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import { decodeLookupQuery, encodeLookupQuery } from '../../../src/protocol/lookup.ts';
import { decodeTicket, encodeTicket } from '../../../src/protocol/ticket.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';
import { json, ofText, text, texts } from './fuzzed-decoder.ts';

export const CLIENT_WIRE: Readonly<Record<string, FuzzedDecoder>> = {
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
};
