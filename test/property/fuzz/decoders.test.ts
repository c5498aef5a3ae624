// That no decoder of bytes from outside is missing from the table that is fuzzed.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BROKER_WIRE } from './broker-wire.ts';
import { DECODERS } from './decoders.ts';

describe('the table of decoders', () => {
  const source = join(import.meta.dirname, '../../../src');
  const exported = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(source, file), 'utf8').matchAll(/^export function (decode[A-Z]\w*)/gm),
    ])
    .map((found) => found[1]!);

  it('holds every decoder there is', () => {
    expect(exported.filter((name) => !Object.hasOwn(DECODERS, name))).toEqual([]);
    expect(exported.length).toBeGreaterThan(20);
  });

  it.each(Object.entries(DECODERS))('has examples that %s takes', (_name, { decode, examples }) => {
    for (const example of examples) expect(decode(example)).toMatchObject({ ok: true });
  });
});

// Notes may carry fields of a later version behind those that are known.
const closed = Object.entries(BROKER_WIRE).filter(([name]) => name !== 'decodeTraceNotes');
it.each(closed)('a frame with a byte behind its end is refused by %s', (_name, { decode, examples }) => {
  for (const example of examples) {
    expect(decode(Buffer.concat([example, Buffer.of(0)])).ok, example.toString('hex')).toBe(false);
  }
});
