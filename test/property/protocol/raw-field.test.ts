// The field found in the text is the one that JSON.parse finds, whatever stands around it.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rawField, rawItems } from '../../../src/protocol/raw-field.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 2_000) };

const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
/** A string with some of its characters as escapes, which a reader may not tell from the others. */
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.array(fc.boolean(), { maxLength: 8 })).map(([plain, escapes]) => {
    const chars = Array.from({ length: plain.length }, (_, i) =>
      escapes[i] === true
        ? `\\u${plain.charCodeAt(i).toString(16).padStart(4, '0')}`
        : JSON.stringify(plain[i]).slice(1, -1),
    );
    return `"${chars.join('')}"`;
  });
const text = fc.oneof(fc.string(), fc.constantFrom('d', '\\', '"', '{', ']},', '"d":1', '\\"'));
const number = fc.constantFrom('0', '-0', '1.0', '1e999', '12345678901234567890', '-2.50E-3');
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('null', 'true', 'false'),
    number,
    quoted(text),
    fc.array(padded(tie('value')), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc.array(fieldOf(tie('value')), { maxLength: 3 }).map((fields) => `{${fields.join(',')}}`),
  ),
}));
function padded(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, inner, space).map((parts) => parts.join(''));
}
function fieldOf(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const key = quoted(fc.oneof(fc.constantFrom('d', 'c', '__proto__', ''), text));
  return fc.tuple(padded(key), padded(inner)).map(([name, one]) => `${name}:${one}`);
}
const object = fc.array(fieldOf(value), { maxLength: 6 }).map((fields) => `{${fields.join(',')}}`);

it('is what JSON.parse reads, with the last of equal names', () => {
  let found = 0;
  fc.assert(
    fc.property(padded(object), (json) => {
      const parsed = JSON.parse(json) as Record<string, unknown>;
      const field = rawField(json, 'd');
      expect(field !== undefined).toBe(Object.hasOwn(parsed, 'd'));
      if (!field) return;
      found += 1;
      expect(json).toContain(field.text);
      expect(JSON.parse(field.text)).toEqual(parsed['d']);
      expect(field.depth).toBe(depthOf(field.text));
    }),
    RUNS,
  );
  expect(found).toBeGreaterThan(RUNS.numRuns / 10);
});

it('finds the items of an array as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.array(padded(value), { maxLength: 6 }), space, (items, blank) => {
      const json = `${blank}[${items.join(',')}]`;
      expect(rawItems(json)).toEqual(items.map((item) => item.trim()));
    }),
    RUNS,
  );
});

function depthOf(json: string): number {
  let depth = 0;
  const brackets = json.replaceAll(/"(\\.|[^"\\])*"|[^"[\]{}]/g, '');
  return Math.max(0, ...Array.from(brackets, (one) => (depth += '[{'.includes(one) ? 1 : -1)));
}
