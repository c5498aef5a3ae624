// What a client that comes back is given when brokers took turns at its topic: the real memory of brokers, and every
// order in which their streams may have reached the gateway that is gone.

import { expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { ResumePoint } from '../../../src/gateway/core/feed-port.ts';
import type { CarriedPart } from '../../../src/gateway/core/join-parts.ts';
import { bestCopy, joinParts } from '../../../src/gateway/core/join-parts.ts';
import type { HistorySource } from '../../../src/gateway/feed/fetch-history.ts';
import { fetchHistory } from '../../../src/gateway/feed/fetch-history.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { MESSAGE_FLAG } from '../../../src/protocol/publication.ts';
import type { SequencedMessage } from '../../../src/protocol/publication-envelope.ts';
import { aMessage } from '../broker/given.ts';

const TOPIC = 't';
const LIMITS = { maxMessages: 20, maxBytes: 10_000 };
const PUBLISHER = { publisher: 'p', origin: '', hop: 0 };

/** A broker with one topic; `a` carries in epoch `a`. */
class Broker implements HistorySource {
  readonly core: BrokerCore;
  readonly id: string;
  epoch: string;
  silent = false;
  questions = 0;
  readonly carried: SequencedMessage[] = [];

  constructor(epoch: string) {
    this.core = new BrokerCore(epoch, 'main', 0, DEFAULT_BROKER_LIMITS);
    this.epoch = epoch;
    this.id = epoch;
  }

  /** Message number `sequence` of the publisher, and its way to who keeps a copy. */
  carry(sequence: number, atMs: number, copiedBy: readonly Broker[] = [], flags = 0): void {
    const data = Buffer.from(String(sequence));
    const message = { topic: TOPIC, data, source: PUBLISHER, sequence, flags, publishedAtMs: 0 };
    this.core.accept({ batch: 1, messages: [message] }, atMs);
    this.carried.push({ ...message, offset: this.carried.length + 1 });
    for (const other of copiedBy) other.copy(this, this.carried.length, atMs);
  }

  copy(from: Broker, offset: number, atMs: number): void {
    this.core.keep(from.epoch, bucketOf(TOPIC), offset, [from.carried[offset - 1]!], atMs);
  }

  mayHaveCarried(): boolean {
    return true;
  }

  async question(...[build]: Parameters<HistorySource['question']>): ReturnType<HistorySource['question']> {
    this.questions += 1;
    return this.silent ? undefined : this.core.answer(build(1), emptyBucketSet(), 0);
  }
}

const point = (epoch: string, offset: number, also: Record<string, number> = {}): ResumePoint => ({
  epoch,
  offset,
  also: Object.entries(also).map(([e, o]) => ({ epoch: e, offset: o })),
});

/** `epoch:offset` of what is given, or why nothing is. */
async function given(from: ResumePoint, owner: Broker, ...others: Broker[]): Promise<string[] | string> {
  const history = await fetchHistory(TOPIC, from, LIMITS, owner, [owner, ...others]);
  return history.complete ? history.messages.map(({ epoch, offset }) => `${epoch}:${offset}`) : history.why;
}

/** `b` carried 1 to 5, then `a` stood in for it with 6 and 7, then `b` had it back with 8. */
function turns(): { a: Broker; b: Broker; c: Broker } {
  const [a, b, c] = [new Broker('a'), new Broker('b'), new Broker('c')];
  for (const n of [1, 2, 3, 4, 5]) b.carry(n, 1_000 + n, [a, c]);
  for (const n of [6, 7]) a.carry(n, 3_000 + n, [b, c]);
  b.carry(8, 5_008, [a, c]);
  return { a, b, c };
}

it.each([
  ['all of both after it left', point('b', 5), ['a:1', 'a:2', 'b:6']],
  ['the same when it also waited for a broker once', point('b', 5, { '': 3 }), ['a:1', 'a:2', 'b:6']],
  ['the rest of both, whichever it heard last', point('a', 1, { b: 5 }), ['a:2', 'b:6']],
  ['what the stand-in had sent it later than the owner', point('b', 6, { a: 1 }), ['a:2']],
  ['what the stand-in had not sent it at all', point('b', 6), ['a:1', 'a:2']],
  ['what the owner had sent it later than the stand-in', point('a', 2, { b: 4 }), ['b:5', 'b:6']],
  ['nothing when it had all', point('b', 6, { a: 2 }), []],
])('gives a client %s', async (_what, from, expected) => {
  const { a, b, c } = turns();
  expect(await given(from, b, a, c)).toEqual(expected);
});

it('asks each broker once about a position that somebody made up', async () => {
  const { a, b, c } = turns();
  const made = point('x', 5, { y1: 1, y2: 2, y3: 3, y4: 4, y5: 5, y6: 6, y7: 7 });
  expect(await given(made, b, a, c)).toBe('epoch-gone');
  expect([a, b, c].map(({ questions }) => questions)).toEqual([1, 1, 1]);
  // One that is silent may know it.
  c.silent = true;
  expect(await given(made, b, a, c)).toBe('epoch-gone');
  expect(a.questions).toBeGreaterThan(2);
});

it('gives what a broker carried that got the copy of the last message late', async () => {
  const [a, b] = [new Broker('a'), new Broker('b')];
  for (const n of [1, 2]) b.carry(n, n, n === 1 ? [a] : []);
  for (const n of [3, 4]) a.carry(n, 2_000);
  // Repaired after the owner thawed: the stand-in has carried two meanwhile.
  a.copy(b, 2, 6_000);
  b.copy(a, 1, 6_000);
  b.copy(a, 2, 6_000);
  b.carry(5, 6_100, [a]);
  expect(await given(point('b', 2), b, a)).toEqual(['a:1', 'a:2', 'b:3']);
});

it('gives what a thawed broker carried before the copies of its stand-in came', async () => {
  const [a, b] = [new Broker('a'), new Broker('b')];
  b.carry(1, 1, [a]);
  a.carry(2, 2_000);
  for (const n of [3, 4]) b.carry(n, 5_000, [a]);
  b.copy(a, 1, 5_500);
  expect(await given(point('a', 1, { b: 1 }), b, a)).toEqual(['b:2', 'b:3']);
  // Also when the client names one epoch alone.
  expect(await given(point('a', 1), b, a)).toEqual(['b:1', 'b:2', 'b:3']);
});

it('gives what a frozen broker had sent, from who followed it furthest', async () => {
  const { a, b, c } = turns();
  b.carry(9, 5_009, [c]);
  b.silent = true;
  expect(await given(point('a', 2, { b: 5 }), a, b, c)).toEqual(['b:6', 'b:7']);
  // The client is further than anybody else: the rest comes when the broker thaws.
  expect(await given(point('a', 2, { b: 8 }), a, b, c)).toEqual([]);
  c.silent = true;
  expect(await given(point('a', 2, { b: 5 }), a, b, c)).toEqual(['b:6']);
});

it('gives what every living broker carried after the one that died', async () => {
  const { a, b, c } = turns();
  c.carry(9, 5_009, [a]);
  a.carry(10, 5_010, [c]);
  expect(await given(point('b', 5), a, c)).toEqual(['b:6', 'c:1', 'a:1', 'a:2', 'a:3']);
  b.epoch = 'b2';
  b.silent = true;
  expect(await given(point('b', 6, { a: 2 }), a, b, c)).toEqual(['c:1', 'a:3']);
});

it('gives a message once that two brokers carried', async () => {
  const [a, b] = [new Broker('a'), new Broker('b')];
  b.carry(1, 1, [a]);
  for (const n of [1, 2, 3]) a.carry(n, 2_000, [b], MESSAGE_FLAG.resent);
  // It had these in its sockets when it froze.
  for (const n of [2, 3]) b.carry(n, 4_000, [a]);
  b.carry(4, 4_001, [a]);
  expect(await given(point('b', 1), b, a)).toEqual(['a:2', 'a:3', 'b:4']);
  expect(await given(point('a', 3, { b: 1 }), b, a)).toEqual(['b:4']);
  expect(await given(point('b', 4), b, a)).toEqual([]);
});

it('takes twins that are no longer held for seen, once the client has heard much later messages', async () => {
  const [a, b] = [new Broker('a'), new Broker('b')];
  for (const n of [1, 2]) b.carry(n, n, [a]);
  for (const n of [1, 2]) a.carry(n, 2_000, [b], MESSAGE_FLAG.resent);
  b.carry(3, 20_000, [a]);
  a.core.trim(122_100);
  expect(await given(point('b', 3, { a: 1 }), b, a)).toEqual([]);
  expect(await given(point('b', 2, { a: 1 }), b, a)).toBe('trimmed');
});

it('says why when it cannot be proven whole', async () => {
  const { a, b, c } = turns();
  expect(await given(point('gone', 3), a, b, c)).toBe('epoch-gone');
  expect(await given(point('b', 99), b, a, c)).toBe('trimmed');
  for (const one of [a, b, c]) one.silent = true;
  expect(await given(point('b', 5), b, a, c)).toBe('epoch-gone');
  for (const one of [a, b, c]) one.silent = false;
  for (let n = 9; n < 30; n++) b.carry(n, 6_000);
  expect(await given(point('b', 5, { a: 2 }), b, a, c)).toBe('over-limit');
});

/** One epoch's share with these messages; 1 is the first of its publisher. */
const part = (
  epoch: string,
  ...list: { offset: number; sequence: number; flags?: number }[]
): CarriedPart => ({
  epoch,
  head: list.at(-1)?.offset ?? 0,
  messages: list.map((one) => aMessage(one.offset, one)),
});

it('marks what another broker may have carried too, since its twin may have come live already', () => {
  const a = part('a', { offset: 1, sequence: 1 }, { offset: 2, sequence: 2 });
  const b = part('b', { offset: 1, sequence: 2 }, { offset: 2, sequence: 3, flags: MESSAGE_FLAG.resent });
  const joined = joinParts([a, b], new Set(), LIMITS);
  expect(
    joined.complete && joined.messages.map(({ epoch, offset, hasTwin }) => [epoch, offset, hasTwin]),
  ).toEqual([
    ['a', 1, undefined],
    ['a', 2, true],
    ['b', 2, true],
  ]);
  expect(joined.head).toEqual({ epoch: 'b', offset: 2 });
});

it('gives no more than may be resumed, of all epochs together', () => {
  const parts = [part('a', { offset: 1, sequence: 1 }), part('b', { offset: 1, sequence: 2 })];
  const why = (maxMessages: number, maxBytes: number): unknown => {
    const joined = joinParts(parts, new Set(), { maxMessages, maxBytes });
    return joined.complete || joined.why;
  };
  expect([why(2, 2), why(1, 2), why(2, 1)]).toEqual([true, 'over-limit', 'over-limit']);
});

it('takes copies that are behind the client for whole only while their broker lives, and only from who has any', () => {
  const copy = (head: number): CarriedPart => ({ epoch: 'a', head, messages: [], trouble: 'trimmed' });
  const missedNothing = { epoch: 'a', head: 5, messages: [] };
  expect(bestCopy([copy(3), copy(4)], 5, true)).toEqual(missedNothing);
  for (const [copies, isLiving] of [
    [[copy(3), copy(4)], false],
    [[copy(3), copy(0)], true],
    [[copy(3), copy(5)], true],
  ] as const) {
    expect(bestCopy(copies, 5, isLiving)).toMatchObject({ trouble: 'trimmed' });
  }
});
