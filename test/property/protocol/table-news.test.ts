// What is news in a part is what decoding the whole part and leaving out the rest would give, however it is written.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IsNews } from '../../../src/protocol/table-news.ts';
import { decodeTableNews } from '../../../src/protocol/table-news.ts';
import type { TableRow } from '../../../src/protocol/table-row.ts';
import { decodeTablePart, encodeTablePart } from '../../../src/protocol/table-row.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

const text = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern);
/** Few names, so that gateways meet those that are known. */
const bootId = fc.oneof(fc.constantFrom('', 'a', 'b'), text(/^[\x21-\x7e]{0,20}$/));
const row = fc.record<TableRow>({
  gateway: text(/^[a-c][0-9._:-]?$/),
  url: fc.constantFrom('ws://h/', 'wss://gw.example.org:7410/ws?a=%22'),
  pool: text(/^(default|[a-z]{1,3})$/),
  zone: text(/^([a-z]{1,3})?$/),
  labels: fc.dictionary(text(/^[a-z]{1,3}$/), fc.string(), { maxKeys: 2, noNullPrototype: true }),
  capacity: fc.integer({ min: 1, max: 9 }),
  bootId,
  seq: fc.oneof(fc.nat(20), fc.maxSafeNat()),
  state: fc.constantFrom('up', 'draining'),
  periodMs: fc.integer({ min: 1, max: 60_000 }),
  ageMs: fc.nat(100_000),
  reportedScore: fc.double({ min: 0, max: 1_000, noNaN: true }),
  correctedScore: fc.double({ min: 0, max: 1_000, noNaN: true }),
  costPerConnection: fc.double({ min: 0, max: 1, noNaN: true }),
  connections: fc.nat(),
  youngConnections: fc.nat(),
  maxConnections: fc.nat(9),
});
const part = fc
  .record({ heraldId: text(/^[a-z]{1,5}$/), bootId, rows: fc.array(row, { maxLength: 8 }) })
  .map((fields) => ({ v: 1 as const, ...fields }));
const known = fc.dictionary(text(/^[a-c][0-9._:-]?$/), fc.record({ bootId, seq: fc.nat(20) }));

const newsBeside =
  (reports: Record<string, { bootId: string; seq: number }>): IsNews =>
  (gateway, boot, seq) => {
    const mine = Object.hasOwn(reports, gateway) ? reports[gateway] : undefined;
    return mine?.bootId !== boot || mine.seq < seq;
  };
/** As earlier versions wrote it, as a person would, and as it is written. */
const forms: Record<string, (written: string) => string> = {
  'on one line': (written) => JSON.stringify(JSON.parse(written)),
  indented: (written) => JSON.stringify(JSON.parse(written), undefined, 2),
  'a row a line': (written) => written,
};

describe('news of a part', () => {
  it.each(Object.entries(forms))('are the same rows as of the whole, written %s', (_form, write) => {
    fc.assert(
      fc.property(part, known, (value, reports) => {
        const written = write(encodeTablePart(value));
        const isNews = newsBeside(reports);
        const asked = new Map<string, string>();
        const news = decodeTableNews(written, (gateway, boot, seq, ageMs) => {
          asked.set(`${gateway} ${boot} ${seq}`, `${ageMs}`);
          return isNews(gateway, boot, seq, ageMs);
        });
        const all = decodeTablePart(JSON.parse(written));
        expect(all.ok && news.ok).toBe(true);
        if (!all.ok || !news.ok) return;
        const wanted = all.value.rows.filter((one) => isNews(one.gateway, one.bootId, one.seq, one.ageMs));
        expect(news.value).toEqual({ ...all.value, rows: wanted });
        for (const { gateway, bootId: boot, seq } of value.rows) {
          expect(asked.has(`${gateway} ${boot} ${seq}`)).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('are refused whole when one of them is bad, in the same words as the whole', () => {
    fc.assert(
      fc.property(part, fc.nat(7), (value, index) => {
        const rows = value.rows.map((one, at) => (at === index ? { ...one, url: 'http://no' } : one));
        const written = encodeTablePart({ ...value, rows });
        expect(decodeTableNews(written, () => true)).toEqual(decodeTablePart(JSON.parse(written)));
      }),
      RUNS,
    );
  });

  it('are not looked for in a row whose report is known, whatever else it says', () => {
    const line = '{"g":"a","boot":"b","seq":7,"age":1,"url":';
    const written = `{"v":1,"herald":"h","boot":"","rows":[\n${line}nonsense}\n]}`;
    expect(decodeTableNews(written, () => false)).toMatchObject({ ok: true, value: { rows: [] } });
    expect(decodeTableNews(written, () => true)).toMatchObject({ ok: false, refusal: { field: 'part' } });
  });

  it('can be read when a figure of the writer is no number', () => {
    const [odd] = fc.sample(row, { numRuns: 1, seed: 1 });
    const broken = { ...odd!, ageMs: Number.NaN, reportedScore: Number.NaN, costPerConnection: Infinity };
    const news = decodeTableNews(
      encodeTablePart({ v: 1, heraldId: 'h', bootId: '', rows: [broken] }),
      () => true,
    );
    expect(news).toMatchObject({
      ok: true,
      value: { rows: [{ ageMs: 0, reportedScore: 0, costPerConnection: 0 }] },
    });
  });

  it('are bounded: a part of too many rows is refused, known or not', () => {
    const line = '{"g":"a","boot":"b","seq":7,"age":1,"url":"ws://h/"}';
    const written = (rows: number): string =>
      `{"v":1,"herald":"h","boot":"","rows":[\n${Array(rows).fill(line).join(',\n')}\n]}`;
    expect(decodeTableNews(written(2_000), () => false).ok).toBe(true);
    expect(decodeTableNews(written(2_001), () => false).ok).toBe(false);
  });

  it.each(['', '\n]}', '\n\n]}', '{\n]}', '{"v":1,"herald":"h","boot":"","rows":[\n\n]}', '[\n{},\n]}'])(
    'of %j are told as the whole would be',
    (broken) => {
      const news = decodeTableNews(broken, () => true);
      let all: unknown;
      try {
        all = JSON.parse(broken);
      } catch {
        expect(news).toMatchObject({ ok: false, refusal: { field: 'part' } });
        return;
      }
      expect(news).toEqual(decodeTablePart(all));
    },
  );
});
