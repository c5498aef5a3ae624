// Damaged inputs, 200,000 a decoder in `npm test`: none throws, hangs, or is taken for what it cannot mean. The
// seed stands in each name; FUZZ_SEED=... plays the same inputs again, or others.

import { describe, expect, it } from 'vitest';
import type { Decoded } from '../../../src/protocol/decode.ts';
import { damagedFrom } from './damage.ts';
import { DECODERS } from './decoders.ts';
import type { FuzzedDecoder } from './fuzzed-decoder.ts';

/** Enough to find what is easy to find; `npm test` looks longer. */
const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 5_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_180_119);
/** A machine that is busy with other things may stop this one for a while; a decoder that loops stops for ever. */
const HANG_MS = 5_000;
/** Of what was taken, one in so many is encoded and decoded again. */
const AGAIN_EVERY = 8;

/** Where a value holds what no decoder may let through; undefined when nowhere. */
function nonsense(value: unknown, free: RegExp | undefined, place = 'value'): string | undefined {
  if (free?.test(place)) return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${place} is ${value}`;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (value instanceof Map) return nonsense([...value], free, place);
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) {
    return `${place} has a prototype of its own`;
  }
  for (const [key, one] of Object.entries(value)) {
    const found = nonsense(one, free, `${place}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function badRefusal(decoded: Decoded<unknown>): boolean {
  return !decoded.ok && (decoded.refusal.field === '' || decoded.refusal.received.length > 80);
}

/** Every second decoder, from the first or from the second on: two files, so that two processes share them. */
export function fuzzEverySecond(from: 0 | 1): void {
  describe('damaged input', () => {
    it.each(Object.entries(DECODERS).filter((_, i) => i % 2 === from))(
      `does not shake %s, ${INPUTS} times from seed ${SEED}`,
      { timeout: 120_000 },
      fuzz,
    );
  });
}

function fuzz(name: string, { decode, examples, encode, free, takesNoise }: FuzzedDecoder): void {
  const source = damagedFrom(examples, SEED);
  const blame = (bytes: Buffer, what: string, cause?: unknown): Error =>
    new Error(`${name} ${what}, seed ${SEED}, input ${bytes.toString('hex')}`, { cause });
  const traceLimit = Error.stackTraceLimit;
  // Most inputs end in a refusal, and half of its cost would be the trace that nobody reads.
  Error.stackTraceLimit = 0;
  let taken = 0;
  let refused = 0;
  let slowestMs = 0;
  let startedMs = performance.now();
  try {
    for (let i = 0; i < INPUTS; i++) {
      const bytes = source.next();
      let decoded: Decoded<unknown>;
      try {
        decoded = decode(bytes);
      } catch (error) {
        throw blame(bytes, `threw ${String(error)}`, error);
      }
      const nowMs = performance.now();
      slowestMs = Math.max(slowestMs, nowMs - startedMs);
      startedMs = nowMs;
      if (!decoded.ok) {
        refused += 1;
        if (badRefusal(decoded)) throw blame(bytes, 'refused without a word');
        continue;
      }
      taken += 1;
      if (source.isNoise() && takesNoise !== true) throw blame(bytes, 'took noise');
      const found = nonsense(decoded.value, free);
      if (found !== undefined) throw blame(bytes, `took nonsense: ${found}`);
      if (encode && taken % AGAIN_EVERY === 0) {
        const again = decode(Buffer.from(encode(decoded.value as never) as string, 'latin1'));
        if (!again.ok) throw blame(bytes, `refuses what it took: ${JSON.stringify(again.refusal)}`);
        expect(again.value, blame(bytes, 'reads it differently').message).toEqual(decoded.value);
      }
    }
  } finally {
    Error.stackTraceLimit = traceLimit;
  }
  expect(slowestMs).toBeLessThan(HANG_MS);
  // Damage that is never noticed means that nothing is checked; one that always is, that its depths are not met.
  expect(refused).toBeGreaterThan(INPUTS * 0.05);
  expect(taken).toBeGreaterThan(INPUTS * 0.01);
}
