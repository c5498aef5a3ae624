// The table of cases above the frames: JSON, hello and the ops of docs/protocol.md.

import type { ProtocolCase } from './case-shape.ts';
import { closeFrame, one, text } from './case-shape.ts';

function json(): ProtocolCase[] {
  const broken = [
    '{',
    '}',
    '[]',
    'null',
    'true',
    '42',
    '"text"',
    '{"op":}',
    "{'op':'ping'}",
    '{"op":"ping"} x',
    '{op:"ping"}',
    '\ufeff{"op":"ping"}',
    '[{"op":"ping"}]',
    '{"op":"ping"}{"op":"ping"}',
    'NaN',
    '{"op":NaN}',
    '[[[[[[',
  ];
  const noOp = [
    '{}',
    '{"op":null}',
    '{"op":1}',
    '{"op":""}',
    '{"op":["ping"]}',
    '{"op":{}}',
    '{"OP":"ping"}',
    `{"op":"${'x'.repeat(33)}"}`,
  ];
  return [
    ...broken.map((frame) => ({
      name: `not a JSON object: ${frame}`,
      bytes: one(text(frame)),
      expect: 4000,
    })),
    ...noOp.map((frame) => ({ name: `no usable op: ${frame}`, bytes: one(text(frame)), expect: 4000 })),
    { name: 'JSON nested 20,000 deep', bytes: one(text('['.repeat(20_000))), expect: 4000 },
    {
      name: 'the same key twice',
      bytes: one(text('{"op":"pong","op":"ping"}')),
      expect: 'alive',
      answer: { op: 'pong' },
    },
    {
      name: 'white space around the object',
      bytes: one(text(' \r\n\t{"op":"ping"}\n')),
      expect: 'alive',
      answer: { op: 'pong' },
    },
  ];
}

function greetings(): ProtocolCase[] {
  const hello = (fields: object): Buffer[] => one(text({ op: 'hello', ...fields }));
  const early = ['sub', 'unsub', 'pub', 'ping', 'pong', 'bye', 'unheard'].map((op) => ({
    name: `${op} before hello`,
    hello: false,
    bytes: one(text({ op, id: 1, c: ['a'], d: 1 })),
    expect: 4000,
  }));
  const bad = [
    {},
    { v: null },
    { v: '1' },
    { v: 0 },
    { v: -1 },
    { v: 1.5 },
    { v: 1e9 },
    { v: 1, caps: 'gap' },
    { v: 1, caps: [1] },
    { v: 1, caps: {} },
    { v: 1, caps: Array.from({ length: 33 }, String) },
    { v: 1, token: 5 },
    { v: 1, token: 'ü' },
    { v: 1, token: 'x'.repeat(8_193) },
  ].map((fields) => ({
    name: `hello ${JSON.stringify(fields).slice(0, 60)}`,
    hello: false,
    bytes: hello(fields),
    expect: 4000,
  }));
  const fine = [
    { v: 1 },
    { v: 1, caps: [] },
    { v: 1, caps: null },
    { v: 1, caps: ['gap', 'gap', 'unheard'] },
    { v: 1, token: '' },
    { v: 1, token: 'x'.repeat(8_192) },
    { v: 1, newer: { field: true } },
  ].map((fields) => ({
    name: `hello ${JSON.stringify(fields).slice(0, 60)}`,
    hello: false,
    bytes: hello(fields),
    expect: 'alive' as const,
    answer: { op: 'welcome', v: 1 },
  }));
  const versions = [2, 3, 1_000].map((v) => ({
    name: `hello v ${v}`,
    hello: false,
    bytes: hello({ v }),
    expect: 4004,
  }));
  return [
    ...early,
    ...bad,
    ...fine,
    ...versions,
    { name: 'hello twice', bytes: hello({ v: 1 }), expect: 4000 },
    { name: 'close before hello', hello: false, bytes: [closeFrame(1000)], expect: 1000 },
    { name: 'WebSocket ping before hello', hello: false, bytes: one({ opcode: 9 }), expect: 'alive' },
  ];
}

function operations(): ProtocolCase[] {
  const refused = (frame: object, code: number): ProtocolCase => ({
    name: `refused: ${JSON.stringify(frame).slice(0, 70)}`,
    bytes: one(text(frame)),
    expect: 'alive',
    answer: { op: 'err', id: 9, code },
  });
  const badTopics = ['', ' ', 'a b', 'a"b', 'a\\b', 'ü', 'a\n', 'x'.repeat(256), 5, null, [], {}];
  const badLists = [undefined, null, 'a', {}, [], Array.from({ length: 1_001 }, () => 'a')];
  const badFrom = [
    5,
    'x',
    [],
    {},
    { e: 5, o: 1 },
    { e: 'bad epoch', o: 1 },
    { e: 'x'.repeat(17), o: 1 },
    { e: 'a', o: -1 },
    { e: 'a', o: 1.5 },
    { e: 'a', o: '1' },
    { e: 'a', o: 1e300 },
    { e: 'a', o: 1, also: 'b' },
    { e: 'a', o: 1, also: [{ e: 'b' }] },
    { e: 'b', o: 1, also: Array.from({ length: 8 }, (_, i) => ({ e: `c${i}`, o: 1 })) },
  ];
  const badIds = [undefined, null, -1, 1.5, '1', 2 ** 31, 1e300, {}, []];
  const ok = (frame: object, answer: Record<string, unknown>): ProtocolCase => ({
    name: `taken: ${JSON.stringify(frame).slice(0, 70)}`,
    bytes: one(text(frame)),
    expect: 'alive',
    answer,
  });
  return [
    ...badTopics.map((topic) => refused({ op: 'sub', id: 9, c: [topic] }, 4007)),
    ...badTopics.map((topic) => refused({ op: 'unsub', id: 9, c: [topic] }, 4007)),
    ...badTopics.map((topic) => refused({ op: 'pub', id: 9, c: topic, d: 1 }, 4007)),
    ...badTopics.slice(0, 6).map((topic) => refused({ op: 'sub', id: 9, c: [{ c: topic }] }, 4007)),
    ...badLists.map((c) => refused({ op: 'sub', id: 9, c }, 4007)),
    ...badLists.map((c) => refused({ op: 'unsub', id: 9, c }, 4007)),
    ...badFrom.map((from) => refused({ op: 'sub', id: 9, c: [{ c: 'a', from }] }, 4000)),
    refused({ op: 'pub', id: 9, c: 'a' }, 4000),
    refused({ op: 'pub', id: 9, c: 'a', d: 1 }, 4006),
    refused({ op: 'teleport', id: 9 }, 4000),
    refused({ op: 'toString', id: 9 }, 4000),
    ...badIds.map((id) => ({
      name: `an unknown op with id ${JSON.stringify(id)}`,
      bytes: one(text({ op: 'teleport', id })),
      expect: 'alive' as const,
      answer: { op: 'err', code: 4000 },
    })),
    ...badIds.map((id) => ({
      name: `sub with id ${JSON.stringify(id)}`,
      bytes: one(text({ op: 'sub', id, c: ['a'] })),
      expect: 4000,
    })),
    ok({ op: 'sub', id: 0, c: ['a'] }, { op: 'ok', id: 0 }),
    ok({ op: 'sub', id: 2 ** 31 - 1, c: ['a'] }, { op: 'ok', id: 2 ** 31 - 1 }),
    ok({ op: 'sub', id: 1, c: ['a', 'a', { c: 'a' }] }, { op: 'ok', id: 1 }),
    ok({ op: 'sub', id: 1, c: ['x'.repeat(255)] }, { op: 'ok', id: 1 }),
    ok({ op: 'sub', id: 1, c: ['!#$%&()*+,-./:;<=>?@[]^_`{|}~'] }, { op: 'ok', id: 1 }),
    ok({ op: 'sub', id: 1, c: [{ c: 'a', from: null }] }, { op: 'ok', id: 1 }),
    ok({ op: 'unsub', id: 1, c: ['never-subscribed'] }, { op: 'ok', id: 1 }),
    ok({ op: 'ping', id: 'any' }, { op: 'pong' }),
    { name: 'pong unasked', bytes: one(text({ op: 'pong' })), expect: 'alive' },
    { name: 'bye', bytes: one(text({ op: 'bye' })), expect: 1000 },
  ];
}

export const OP_CASES: readonly ProtocolCase[] = [...json(), ...greetings(), ...operations()];
