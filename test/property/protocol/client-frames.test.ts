// What is written to a client, and by one, is read as it was.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientIn, ClientOut } from '../../../src/protocol/client-frames.ts';
import { decodeClientIn } from '../../../src/protocol/client-frames.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 300) };

const matching = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern);
const topic = matching(/^[!#-[\]-~]{1,30}$/);
const epoch = matching(/^[A-Za-z0-9]{0,16}$/);
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

describe('round trips', () => {
  it('of what a client says', () => {
    const item = fc.oneof(
      fc.record({ c: topic }),
      fc.record({ c: topic, from: fc.record({ e: epoch, o: fc.maxSafeNat() }) }),
    );
    const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const frame: fc.Arbitrary<ClientIn> = fc.oneof(
      fc.record({
        op: fc.constant('sub' as const),
        id: number,
        c: fc.array(item, { minLength: 1, maxLength: 5 }),
      }),
      fc.record({
        op: fc.constant('unsub' as const),
        id: number,
        c: fc.array(topic, { minLength: 1, maxLength: 5 }),
      }),
      fc.record({ op: fc.constant('pub' as const), id: number, c: topic, d: json }),
      fc.record({
        op: fc.constant('hello' as const),
        v: fc.integer({ min: 1, max: 1_000 }),
        caps: fc.array(fc.string({ maxLength: 9 }), { maxLength: 4 }),
        token: matching(/^[\x20-\x7e]{0,40}$/),
      }),
      fc.constantFrom<ClientIn>({ op: 'ping' }, { op: 'pong' }, { op: 'bye' }),
    );
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeClientIn(JSON.stringify(value))).toEqual({ ok: true, value });
      }),
      RUNS,
    );
  });

  it('of what a gateway says', () => {
    const number = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const duration = fc.integer({ min: 0, max: 86_400_000 });
    const problem = fc.record({ code: fc.integer({ min: 0, max: 65_535 }), msg: fc.string() });
    const item = fc.record(
      { c: topic, e: epoch, o: fc.maxSafeNat(), rec: fc.boolean(), err: problem },
      { requiredKeys: ['c', 'e', 'o'] },
    );
    const frame: fc.Arbitrary<ClientOut> = fc.oneof(
      fc.record(
        { op: fc.constant('msg' as const), c: topic, e: epoch, o: fc.maxSafeNat(), d: json },
        { requiredKeys: ['op', 'c', 'o', 'd'] },
      ),
      fc.record({
        op: fc.constant('gap' as const),
        c: topic,
        e: epoch,
        from: fc.maxSafeNat(),
        n: fc.maxSafeNat(),
        why: fc.string(),
      }),
      fc.record(
        { op: fc.constant('ok' as const), id: number, c: fc.array(item) },
        { requiredKeys: ['op', 'id'] },
      ),
      fc.record({
        op: fc.constant('move' as const),
        why: fc.constantFrom('drain' as const, 'balance' as const, 'shutdown' as const),
        spreadMs: duration,
        deadlineMs: duration,
      }),
      fc.record({
        op: fc.constant('err' as const),
        id: number,
        code: fc.integer({ min: 0, max: 65_535 }),
        msg: fc.string(),
      }),
      fc.record({
        op: fc.constant('welcome' as const),
        v: fc.constant(1 as const),
        caps: fc.array(fc.string()),
        conn: fc.string(),
        gateway: fc.string(),
        pingMs: fc.integer({ min: 1, max: 86_400_000 }),
        max: fc.record({
          frame: fc.integer({ min: 1 }),
          topics: fc.integer({ min: 1 }),
          perSec: fc.integer({ min: 1, max: 1e9 }),
        }),
        lookup: fc.array(fc.webUrl()),
      }),
      fc.constantFrom<ClientOut>({ op: 'ping' }, { op: 'pong' }, { op: 'bye' }),
    );
    fc.assert(
      fc.property(frame, (value) => {
        expect(decodeClientOut(JSON.stringify(value))).toEqual({ ok: true, value });
      }),
      RUNS,
    );
  });
});
