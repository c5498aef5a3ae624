// What Heralds write for each other and for themselves: parts of the table, wishes, addresses, the snapshot.

import { decodeDesired, encodeDesired } from '../../../src/herald/load-store/desired-entry.ts';
import { decodeHeraldAddress, encodeHeraldAddress } from '../../../src/herald/load-store/herald-address.ts';
import { decodeSnapshot } from '../../../src/herald/load-store/snapshot-file.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { decodeTableNews } from '../../../src/protocol/table-news.ts';
import { decodeTablePart, decodeTableRow } from '../../../src/protocol/table-row.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';
import { json, ofJson, ofText, texts } from './fuzzed-decoder.ts';

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
const DESIRED = { state: 'drain', reason: 'kernel', author: 'ops', until: 5, said: 3, forMs: 60_000 };

export const SHARED_ENTRIES: Readonly<Record<string, FuzzedDecoder>> = {
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
};
