// Where each decoder draws its line: the last value that is taken and the first that is refused.

import { describe, expect, it } from 'vitest';
import { encodeAgentAnswer } from '../../../src/protocol/agent-check.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import { decodeLoadReport, SIGNAL_NAMES } from '../../../src/protocol/load-report.ts';
import { decodeLookupQuery, DEFAULT_LOOKUP } from '../../../src/protocol/lookup.ts';
import { decodeTablePart } from '../../../src/protocol/table-row.ts';
import { decodeTicket } from '../../../src/protocol/ticket.ts';

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const topics = (count: number): string[] => many(count, (i) => `t${i}`);
const position = { e: 'e1', o: 1 };
const from = (also: unknown): object[] => [{ c: 't', from: { ...position, also } }];
const max = 2 ** 31 - 1;

describe('a frame of a client', () => {
  const decoded = (frame: object): ReturnType<typeof decodeClientIn> => decodeClientIn(JSON.stringify(frame));

  it.each([
    { op: 'hello', v: 1 },
    { op: 'hello', v: 1_000, caps: many(32, () => 'c'), token: 'x'.repeat(8_192) },
    { op: 'sub', id: 0, c: ['t'] },
    { op: 'sub', id: max, c: topics(1_000) },
    { op: 'sub', id: 1, c: ['t'.repeat(255)] },
    { op: 'sub', id: 1, c: from(many(7, () => position)) },
    { op: 'sub', id: 1, c: [{ c: 't', from: { e: '', o: 0 } }] },
    { op: 'sub', id: 1, c: [{ c: 't', from: { e: 'x'.repeat(16), o: Number.MAX_SAFE_INTEGER } }] },
    { op: 'unsub', id: 1, c: topics(1_000) },
    { op: 'pub', id: 1, c: 't', d: null },
  ])('is taken: %j', (frame) => {
    expect(decoded(frame)).toMatchObject({ ok: true, value: { op: frame.op } });
  });

  it.each([
    ['v', { op: 'hello' }],
    ['v', { op: 'hello', v: 0 }],
    ['v', { op: 'hello', v: 1_001 }],
    ['caps', { op: 'hello', v: 1, caps: many(33, () => 'c') }],
    ['caps', { op: 'hello', v: 1, caps: 'gap' }],
    ['caps', { op: 'hello', v: 1, caps: [1] }],
    ['token', { op: 'hello', v: 1, token: 'x'.repeat(8_193) }],
    ['token', { op: 'hello', v: 1, token: '\n' }],
    ['id', { op: 'sub', c: ['t'] }],
    ['id', { op: 'sub', id: -1, c: ['t'] }],
    ['id', { op: 'sub', id: max + 1, c: ['t'] }],
    ['id', { op: 'sub', id: 1.5, c: ['t'] }],
    ['op', { op: '' }],
    ['op', { op: 'x'.repeat(33) }],
    ['op', { id: 1 }],
    ['frame', [1]],
  ])('is malformed for its %s: %j', (field, frame) => {
    expect(decoded(frame)).toMatchObject({ ok: false, refusal: { field } });
  });

  it.each([
    ['c', { op: 'sub', id: 7, c: [] }],
    ['c', { op: 'sub', id: 7, c: topics(1_001) }],
    ['c', { op: 'unsub', id: 7, c: 't' }],
    ['c[1]', { op: 'unsub', id: 7, c: ['t', ' '] }],
    ['c[0]', { op: 'sub', id: 7, c: ['t'.repeat(256)] }],
    ['c[0].c', { op: 'sub', id: 7, c: [{ c: 5 }] }],
    ['c[0].from.e', { op: 'sub', id: 7, c: [{ c: 't', from: { e: 'x'.repeat(17), o: 1 } }] }],
    ['o', { op: 'sub', id: 7, c: [{ c: 't', from: { e: 'e1', o: -1 } }] }],
    ['c[0].from.also', { op: 'sub', id: 7, c: from(many(8, () => position)) }],
    ['c[0].from.also[1].e', { op: 'sub', id: 7, c: from([position, { e: '-', o: 1 }]) }],
    ['d', { op: 'pub', id: 7, c: 't' }],
    ['c', { op: 'pub', id: 7, c: '"', d: 1 }],
  ])('is answered with a refusal of its %s: %j', (field, frame) => {
    expect(decoded(frame)).toMatchObject({ ok: true, value: { op: 'refused', id: 7, refusal: { field } } });
  });

  it('starts from nothing where it names no position', () => {
    expect(decoded({ op: 'sub', id: 1, c: [{ c: 't', from: null }] })).toEqual({
      ok: true,
      value: { op: 'sub', id: 1, c: [{ c: 't' }] },
    });
    expect(decoded({ op: 'sub', id: 1, c: from(null) })).toEqual({
      ok: true,
      value: { op: 'sub', id: 1, c: [{ c: 't', from: position }] },
    });
  });

  it.each([
    [{ op: 'x'.repeat(32), id: max }, { id: max }],
    [{ op: 'later', id: 0 }, { id: 0 }],
    [{ op: 'later', id: max + 1 }, {}],
    [{ op: 'later', id: 'seven' }, {}],
    [{ op: 'later' }, {}],
  ])('of an unknown op keeps its fields, and an id that is one: %j', (frame, id) => {
    expect(decoded(frame)).toEqual({
      ok: true,
      value: { op: 'unknown', name: frame.op, fields: frame, ...id },
    });
  });
});

describe('a frame of a gateway', () => {
  const decoded = (frame: object): ReturnType<typeof decodeClientOut> =>
    decodeClientOut(JSON.stringify(frame));
  const welcome = { op: 'welcome', conn: 'c', gateway: 'g', pingMs: 1 };
  const move = { op: 'move', why: 'drain', spreadMs: 0, deadlineMs: 86_400_000 };

  it.each([
    [welcome, { caps: [], lookup: [], max: { frame: 65_536, topics: 128, perSec: 20 } }],
    [{ ...move, why: 'later' }, { why: 'drain' }],
    [
      { ...move, ticket: 't', lookup: 'l' },
      { ticket: 't', lookup: 'l' },
    ],
    [
      { op: 'gap', c: 't', n: 0, why: '' },
      { e: '', from: 0 },
    ],
    [{ op: 'ok', id: max, c: [{ c: 't' }] }, { c: [{ c: 't', e: '', o: 0 }] }],
    [{ op: 'err', code: 65_535, msg: '' }, { code: 65_535 }],
  ])('is taken: %j', (frame, expected) => {
    expect(decoded(frame)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    ['pingMs', { ...welcome, pingMs: 0 }],
    ['caps', { ...welcome, caps: [1] }],
    ['lookup', { ...welcome, lookup: 'l' }],
    ['frame', { ...welcome, max: { frame: 0 } }],
    ['topics', { ...welcome, max: { topics: 0 } }],
    ['perSec', { ...welcome, max: { perSec: 0 } }],
    ['spreadMs', { ...move, spreadMs: -1 }],
    ['deadlineMs', { ...move, deadlineMs: 86_400_001 }],
    ['ticket', { ...move, ticket: 1 }],
    ['lookup', { ...move, lookup: 1 }],
    ['o', { op: 'msg', c: 't', o: -1 }],
    ['e', { op: 'msg', c: 't', o: 1, e: '-' }],
    ['id', { op: 'ok', id: max + 1 }],
    ['c', { op: 'ok', id: 1, c: {} }],
    ['code', { op: 'ok', id: 1, c: [{ c: 't', err: { code: 65_536, msg: '' } }] }],
    ['code', { op: 'err', code: 65_536, msg: '' }],
    ['msg', { op: 'err', code: 1 }],
  ])('is refused for its %s: %j', (field, frame) => {
    expect(decoded(frame)).toMatchObject({ ok: false, refusal: { field } });
  });

  it('of an op that is not known is nothing', () => {
    expect(decoded({ op: 'later' })).toEqual({ ok: true, value: undefined });
  });
});

describe('a load report', () => {
  const good = { v: 1, gateway: 'gw-1', url: 'ws://h/ws', seq: 0, cpu: 0 };
  const labels = (count: number): object => Object.fromEntries(many(count, (i) => [`k${i}`, 'v']));
  const tickets = (count: number): object =>
    Object.fromEntries(many(count, (i) => [`h${i}`, { admitted: 0 }]));

  it('has these values where it does not say', () => {
    expect(decodeLoadReport(good)).toEqual({
      ok: true,
      value: {
        ...good,
        kind: 'full',
        bootId: '',
        periodMs: 500,
        pool: 'default',
        zone: '',
        labels: {},
        capacity: 1,
        state: 'up',
        tickets: {},
      },
    });
  });

  it.each([
    { kind: 'counters', cpu: undefined, connections: 0 },
    { seq: Number.MAX_SAFE_INTEGER, bootId: '!'.repeat(64), pool: '', zone: 'z'.repeat(64) },
    { periodMs: 50, capacity: 0.001, labels: labels(16), tickets: tickets(64) },
    { periodMs: 60_000, capacity: 100_000, connections: 1e8, youngConnections: 1e8, maxConnections: 1e8 },
    { labels: { ['k'.repeat(63)]: 'v'.repeat(63), empty: '' }, maxConnections: 1, acceptedTotal: 0 },
    { throttled: 1, eventLoop: 1_000, memory: 1_000, descriptors: 1_000, loopDelayP99Ms: 3_600_000 },
    { messagesPerSec: 1e12, bytesPerSec: 1e15, bufferedBytes: 1e15, deliveryLagMs: 86_400_000 },
  ])('is taken: %j', (fields) => {
    expect(decodeLoadReport({ ...good, ...fields })).toMatchObject({ ok: true });
  });

  it.each<readonly [string, object]>([
    ['v', { v: 2 }],
    ['url', { url: 'http://h/ws' }],
    ['kind', { kind: 'some' }],
    ['gateway', { gateway: '-' }],
    ['seq', { seq: -1 }],
    ['seq', { seq: undefined }],
    ['bootId', { bootId: '!'.repeat(65) }],
    ['periodMs', { periodMs: 49 }],
    ['periodMs', { periodMs: 60_001 }],
    ['capacity', { capacity: 0 }],
    ['capacity', { capacity: 100_001 }],
    ['state', { state: 'stale' }],
    ['labels', { labels: labels(17) }],
    ['labels', { labels: [] }],
    ['labels', { labels: { ['k'.repeat(64)]: '' } }],
    ['labels', { labels: JSON.parse('{"__proto__":"v"}') as unknown }],
    ['labels.k', { labels: { k: 'v'.repeat(64) } }],
    ['labels.k', { labels: { k: 1 } }],
    ['tickets', { tickets: tickets(65) }],
    ['tickets', { tickets: { '-': { admitted: 0 } } }],
    ['admitted', { tickets: { h: { admitted: -1 } } }],
    ['connections', { connections: 1e8 + 1 }],
    ['youngConnections', { youngConnections: 1e8 + 1 }],
    ['maxConnections', { maxConnections: 0 }],
    ['acceptedTotal', { acceptedTotal: 0.5 }],
    ['compressing', { compressing: 1 }],
    ['cpu', { cpu: undefined }],
    ['throttled', { throttled: 1.01 }],
    ...SIGNAL_NAMES.map((name): [string, object] => [name, { [name]: -0.1 }]),
    ...SIGNAL_NAMES.map((name): [string, object] => [name, { [name]: 1.1e15 }]),
  ])('is refused for its %s: %j', (field, fields) => {
    expect(decodeLoadReport({ ...good, ...fields })).toMatchObject({ ok: false, refusal: { field } });
  });
});

describe('a lookup', () => {
  const decoded = (query: string): ReturnType<typeof decodeLookupQuery> =>
    decodeLookupQuery(new URLSearchParams(query));
  const repeated = (count: number, text: string): string => many(count, (i) => text + String(i)).join('&');

  it.each([
    ['', DEFAULT_LOOKUP],
    ['', { pool: 'default', zone: '', key: '', size: 1, alternates: 3, intent: 'connect' }],
    ['n=0&size=0.001', { alternates: 0, size: 0.001 }],
    ['n=8&size=10000&intent=', { alternates: 8, size: 10_000, intent: 'connect' }],
    [`key=${'k'.repeat(256)}&failed=${'f'.repeat(256)}`, { key: 'k'.repeat(256) }],
    [repeated(16, 'exclude=g'), { exclude: many(16, (i) => `g${i}`) }],
    ['exclude=a,b,,c', { exclude: ['a', 'b', 'c'] }],
    ['label=k=', { labels: { k: '' } }],
    ['prefer=k=v', { preferred: [{ key: 'k', value: 'v', weight: 0.1 }] }],
    ['prefer=k=v@0&prefer=k=w@1', { preferred: [{ weight: 0 }, { weight: 1, value: 'w' }] }],
    [repeated(16, 'prefer=k='), {}],
  ])('is taken: %j', (query, expected) => {
    expect(decoded(query)).toMatchObject({ ok: true, value: expected });
  });

  it.each([
    ['n', 'n=9'],
    ['n', 'n=-1'],
    ['n', 'n=1.5'],
    ['size', 'size=0'],
    ['size', 'size=10001'],
    ['size', 'size=big'],
    ['key', `key=${'k'.repeat(257)}`],
    ['failed', `failed=${'f'.repeat(257)}`],
    ['pool', 'pool=-'],
    ['zone', `zone=${'z'.repeat(65)}`],
    ['exclude', repeated(17, 'exclude=g')],
    ['exclude', 'exclude=-'],
    ['label', repeated(17, 'label=k=')],
    ['label', 'label==v'],
    ['label', 'label=k'],
    ['label', 'label=k=v=w'],
    ['label', 'label=__proto__=v'],
    ['prefer', repeated(17, 'prefer=k=')],
    ['prefer', 'prefer=k=v@1.01'],
    ['prefer', 'prefer=k=v@-0.1'],
    ['prefer', 'prefer=k=v@'],
    ['intent', 'intent=later'],
  ])('is refused for its %s: %s', (field, query) => {
    expect(decoded(query)).toMatchObject({ ok: false, refusal: { field } });
  });
});

it('a part of the table has at most 2,000 rows', () => {
  const row = { g: 'gw-1', url: 'ws://h/ws', seq: 1 };
  const part = (count: number): object => ({ v: 1, herald: 'h1', boot: 'b', rows: many(count, () => row) });
  expect(decodeTablePart(part(2_000)).ok).toBe(true);
  expect(decodeTablePart(part(2_001))).toMatchObject({ ok: false, refusal: { field: 'rows' } });
});

it('a ticket has numbers up to 2^53 and at most 256 characters', () => {
  const ticket = (heraldId: string, seq: string): string => `t1.${heraldId}.${seq}.1.${'m'.repeat(22)}`;
  expect(decodeTicket(ticket('h', Number.MAX_SAFE_INTEGER.toString(36)))).toMatchObject({ ok: true });
  expect(decodeTicket(ticket('h', (2 ** 53).toString(36)))).toMatchObject({ ok: false });
  expect(decodeTicket(ticket('h'.repeat(128), '1'))).toMatchObject({ ok: true });
  expect(decodeTicket(ticket('h'.repeat(129), '1'))).toMatchObject({ ok: false });
});

it.each([
  [{ weightPercent: 0 }, 'ready up 1%\n'],
  [{ weightPercent: NaN }, 'ready up 1%\n'],
  [{ weightPercent: 100.4 }, 'ready up 100%\n'],
  [{ weightPercent: 54.5, maxConnections: 10.9 }, 'ready up 55% maxconn:10\n'],
  [{ weightPercent: 7, reason: `a#b%${'x'.repeat(200)}` }, `ready up 7% # a b ${'x'.repeat(116)}\n`],
])('agent-check says of %j one line that HAProxy knows', (answer, line) => {
  expect(encodeAgentAnswer({ admin: 'ready', health: 'up', ...answer })).toBe(line);
});
