// What a broker keeps of the others, what it answers from that, and how a subscriber mends itself with it.

import { describe, expect, it } from 'vitest';
import { MESSAGE_OVERHEAD_BYTES } from '../../../src/broker/core/message-shelves.ts';
import { Standby } from '../../../src/broker/core/standby.ts';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import type { RepairReply } from '../../../src/protocol/publication-repair.ts';
import { BucketFeed } from '../../../src/subscriber/core/feed-bucket.ts';
import type { StandIn } from '../../../src/subscriber/core/recover-epoch.ts';
import { recoverEpoch } from '../../../src/subscriber/core/recover-epoch.ts';
import { aMessage, messages } from './given.ts';

const BUCKET = bucketOf('a');
const limits = { bytes: 1_000_000, messageAgeMs: 1_000, epochAgeMs: 5_000, topicsPerBucket: 16 };

describe('Standby', () => {
  it('keeps copies under the numbers the other broker gave, and drops what came before a hole', () => {
    const standby = new Standby(limits);
    standby.keep('e', BUCKET, 7, messages(7, 9, 'a'), () => 0, 0);
    expect(standby.log('e', BUCKET)).toMatchObject({ firstHeld: 7, head: 9 });
    standby.keep('e', BUCKET, 8, messages(8, 10, 'a'), () => 0, 0);
    expect(standby.log('e', BUCKET)).toMatchObject({ firstHeld: 7, head: 10, held: 4 });
    standby.missed('e', BUCKET, 5, 0);
    expect(standby.log('e', BUCKET)).toMatchObject({ firstHeld: 16, head: 15, held: 0 });
    expect(standby.bytes).toBe(0);
    standby.keep('e', BUCKET, 16, messages(16, 16, 'a'), () => 0, 0);
    expect(standby.log('e', BUCKET)).toMatchObject({ firstHeld: 16, head: 16, held: 1 });
    expect(standby.heads('e')).toEqual([{ bucket: BUCKET, sequence: 16 }]);
    expect([standby.knows('e'), standby.knows('f')]).toEqual([true, false]);
  });

  it('counts age from the last word of an epoch, and forgets the epoch itself later', () => {
    const standby = new Standby(limits);
    standby.keep('e', BUCKET, 1, messages(1, 1, 'a'), () => 0, 0);
    standby.keep('e', BUCKET, 2, messages(2, 2, 'a'), () => 0, 1_500);
    standby.trim(4_000);
    expect(standby.log('e', BUCKET)).toMatchObject({ firstHeld: 2, head: 2 });
    standby.trim(7_000);
    expect([standby.knows('e'), standby.bytes]).toEqual([false, 0]);
  });

  it('stays within its bytes', () => {
    const standby = new Standby({ ...limits, bytes: 2_000 });
    for (let at = 1; at <= 100; at++) standby.keep('e', BUCKET, at, messages(at, at, 'a'), () => 0, 0);
    expect(standby.bytes).toBeLessThanOrEqual(2_000);
    expect(standby.log('e', BUCKET).head).toBe(100);
  });

  it('lets go of the bytes of what a stand leaves behind', () => {
    const standby = new Standby(limits);
    standby.keep('e', BUCKET, 1, messages(1, 3, 'a'), () => 0, 0);
    standby.reach(
      'e',
      { bucket: BUCKET, head: 9, forgottenOffset: 0, topics: [{ topic: 'a', offset: 9 }] },
      0,
    );
    expect([standby.bytes, standby.log('e', BUCKET).head]).toEqual([0, 9]);
  });

  it('forgets the epoch unheard of for longest when there are too many', () => {
    const standby = new Standby(limits);
    for (let n = 0; n < 64; n++) standby.keep(`e${n}`, BUCKET, 1, messages(1, 1, 'a'), () => 0, n);
    standby.keep('e0', BUCKET, 2, messages(2, 2, 'a'), () => 0, 100);
    standby.keep('e64', BUCKET, 1, messages(1, 1, 'a'), () => 0, 101);
    expect(['e0', 'e1', 'e63', 'e64'].map((epoch) => standby.knows(epoch))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('takes room from the fullest buckets in turn, from none more than half at once', () => {
    const [one] = messages(1, 1, 'a');
    const copies = (count: number) => Array.from({ length: count }, (_, i) => ({ ...one!, offset: i + 1 }));
    const room = 20 * (one!.data.length + MESSAGE_OVERHEAD_BYTES);
    const standby = new Standby({ ...limits, bytes: room });
    for (const [bucket, count] of [10, 10, 16].entries()) {
      standby.keep('e', bucket, 1, copies(count), () => 0, 0);
    }
    expect([0, 1, 2].map((bucket) => standby.log('e', bucket).held)).toEqual([5, 5, 8]);
  });
});

function standIn(core: BrokerCore, id = 'n'): StandIn {
  return {
    id,
    question: (build) => Promise.resolve(core.answer(build(1), emptyBucketSet(), 0)),
  };
}
const broker = (epoch: string): BrokerCore => new BrokerCore(epoch, 'main', 0, DEFAULT_BROKER_LIMITS);

/** A subscriber's bucket that had 1 to `to` delivered. */
function followed(to: number): { delivered: number[]; feed: BucketFeed } {
  const delivered: number[] = [];
  const feed = new BucketFeed((messages) => delivered.push(...messages.map(({ offset }) => offset)));
  feed.join(1);
  feed.receive({ bucket: BUCKET, firstSequence: 1, messages: messages(1, to, 'a') });
  return { delivered, feed };
}

it('joins where it shall, or earlier where that has come already', () => {
  const delivered: number[] = [];
  const feed = new BucketFeed((messages) => delivered.push(...messages.map(({ offset }) => offset)));
  feed.receive({ bucket: BUCKET, firstSequence: 3, messages: messages(3, 4, 'a') });
  feed.join(5);
  feed.receive({ bucket: BUCKET, firstSequence: 5, messages: messages(5, 5, 'a') });
  expect(delivered).toEqual([3, 4, 5]);
});

it('holds no more than 8,192 messages behind a hole, and as many again behind the next one', () => {
  const feed = new BucketFeed(() => {});
  const receive = (first: number, count: number): void =>
    feed.receive({ bucket: BUCKET, firstSequence: first, messages: messages(first, first + count - 1, 'a') });
  feed.join(1);
  for (let first = 2; first < 10_002; first += 1_000) receive(first, 1_000);
  receive(1, 1);
  expect(feed.missing()).toEqual({ from: 8_002, to: 10_001 });
  receive(8_003, 8_000);
  receive(8_002, 1);
  expect(feed.missing()).toBeUndefined();
});

describe('a life of a broker that ended', () => {
  it('is completed from the copies of others, the tail nobody had told of too', async () => {
    const [one, other] = [broker('n'), broker('m')];
    one.keep('e', BUCKET, 1, messages(1, 8, 'a'), 0);
    other.keep('e', BUCKET, 3, messages(3, 10, 'a'), 0);
    const { delivered, feed } = followed(2);
    const lost: number[] = [];
    const { isWhole } = await recoverEpoch(
      { epoch: 'e', buckets: new Map([[BUCKET, feed]]) },
      [standIn(one), standIn(other, 'm'), standIn(broker('x'), 'x')],
      'proven',
      { repaired: () => {}, lost: (_bucket, count) => lost.push(count) },
    );
    expect([isWhole, delivered, lost]).toEqual([true, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], []]);
  });

  it('counts exactly what no copy holds, and goes on behind it', async () => {
    const core = broker('n');
    core.keep('e', BUCKET, 6, messages(6, 8, 'a'), 0);
    const { delivered, feed } = followed(2);
    const lost: [number, number, string | undefined][] = [];
    const events = {
      repaired: () => {},
      lost: (bucket: number, count: number, holder: StandIn | undefined) =>
        lost.push([bucket, count, holder?.id]),
    };
    const epoch = { epoch: 'e', buckets: new Map([[BUCKET, feed]]) };
    expect(await recoverEpoch(epoch, [standIn(core)], 'never', events)).toMatchObject({ isWhole: false });
    // It may come back: nothing is given up yet.
    expect([delivered, lost]).toEqual([[1, 2], []]);
    const behind = broker('m');
    behind.keep('e', BUCKET, 1, messages(1, 2, 'a'), 0);
    const both = [standIn(behind, 'm'), standIn(core)];
    expect(await recoverEpoch(epoch, both, 'proven', events)).toMatchObject({ isWhole: true });
    // The one that got furthest knows best where the topics stood.
    expect([delivered, lost]).toEqual([[1, 2, 6, 7, 8], [[BUCKET, 3, 'n']]]);
  });

  it('is not given up while anybody who may have kept it does not answer', async () => {
    const holds = broker('n');
    holds.keep('e', BUCKET, 1, messages(1, 5, 'a'), 0);
    const { delivered, feed } = followed(2);
    feed.noteHead(6);
    const lost: number[] = [];
    const events = { repaired: () => {}, lost: (_bucket: number, count: number) => lost.push(count) };
    const epoch = { epoch: 'e', buckets: new Map([[BUCKET, feed]]) };
    const silent: StandIn = { id: 's', question: () => Promise.resolve(undefined) };
    // Answers where it stands, and is gone when it is asked for messages.
    const failing: StandIn = {
      id: 'f',
      question: async (build) => {
        const reply = await standIn(holds).question(build);
        return reply?.kind === 'heads' ? reply : undefined;
      },
    };
    const behind = broker('m');
    behind.keep('e', BUCKET, 1, messages(1, 2, 'a'), 0);
    for (const unsure of [
      [],
      [silent],
      [failing],
      [failing, standIn(behind)],
      [standIn(broker('x')), silent],
    ]) {
      expect(await recoverEpoch(epoch, unsure, 'proven', events)).toMatchObject({ isWhole: false });
    }
    expect([delivered, lost]).toEqual([[1, 2], []]);
    expect(await recoverEpoch(epoch, [standIn(holds), standIn(broker('x'))], 'proven', events)).toMatchObject(
      { isWhole: true },
    );
    expect([delivered, lost]).toEqual([[1, 2, 3, 4, 5], [1]]);
    feed.noteHead(8);
    expect(await recoverEpoch(epoch, [silent], 'now', events)).toMatchObject({ isWhole: true });
    expect(lost).toEqual([1, 2]);
  });

  it('is not over while anybody who may have followed it further does not answer', async () => {
    const { feed } = followed(2);
    const epoch = { epoch: 'e', buckets: new Map([[BUCKET, feed]]) };
    const events = { repaired: () => {}, lost: () => {} };
    const silent: StandIn = { id: 's', question: () => Promise.resolve(undefined) };
    const ask = (...standIns: StandIn[]) => recoverEpoch(epoch, standIns, 'proven', events);
    expect(await ask(silent)).toEqual({ isWhole: true, isFinal: false, isKnown: false });
    expect(await ask(standIn(broker('x')))).toEqual({ isWhole: true, isFinal: true, isKnown: false });
    const core = broker('n');
    core.keep('e', BUCKET, 1, messages(1, 2, 'a'), 0);
    expect(await ask(standIn(core))).toEqual({ isWhole: true, isFinal: true, isKnown: true });
    // Cut off from it too, until more of it comes.
    core.noteCut('e');
    expect(await ask(standIn(core))).toEqual({ isWhole: true, isFinal: true, isKnown: false });
    core.keep('e', BUCKET, 3, messages(3, 3, 'a'), 0);
    expect(await ask(standIn(core))).toMatchObject({ isKnown: true });
  });

  it('is answered for resumes with where the topic went on', () => {
    const core = broker('n');
    core.keep('e', BUCKET, 1, messages(1, 3, 'a'), 0);
    core.accept({ batch: 1, messages: [aMessage(9, { topic: 'a', sequence: 50 })] }, 10);
    core.keep('e', BUCKET, 4, messages(4, 4, 'a'), 15_000);
    core.keep('e', BUCKET, 5, messages(5, 5, 'a'), 16_000);
    // Carried just before the copy of 6 came, which may have been long on its way.
    core.accept({ batch: 2, messages: [aMessage(9, { topic: 'a', sequence: 51 })] }, 16_010);
    core.keep('e', BUCKET, 6, messages(6, 6, 'a'), 16_020);
    const ask = (after: number, want: 'since' | 'head' = 'since'): RepairReply =>
      core.answer(
        {
          request: 1,
          kind: 'topics',
          of: 'e',
          maxMessages: 10,
          maxBytes: 10_000,
          queries: [{ topic: 'a', want, epoch: 'e', afterOffset: after }],
        },
        emptyBucketSet(),
        20,
      );
    const offsets = (reply: RepairReply): unknown =>
      reply.kind === 'topics' &&
      reply.answers.map(({ status, headOffset, ownOffset, messages }) => [
        status,
        headOffset,
        ownOffset,
        messages.map(({ offset }) => offset),
      ]);
    expect(offsets(ask(1))).toEqual([['complete', 6, 0, [2, 3, 4, 5, 6]]]);
    // Between 3 and 4 it carried one itself.
    expect(offsets(ask(3))).toEqual([['complete', 6, 0, [4, 5, 6]]]);
    expect(offsets(ask(4))).toEqual([['complete', 6, 1, [5, 6]]]);
    expect(offsets(ask(6))).toEqual([['complete', 6, 1, []]]);
    expect(offsets(ask(7))).toEqual([['trimmed', 6, 1, []]]);
    expect([0, 3, 4, 6, 7].map((after) => offsets(ask(after, 'head')))).toEqual([
      [['complete', 6, 0, []]],
      [['complete', 6, 0, []]],
      [['complete', 6, 1, []]],
      [['complete', 6, 1, []]],
      [['complete', 6, 1, []]],
    ]);
    expect(
      core.answer({ request: 1, kind: 'heads', of: 'z', interest: emptyBucketSet() }, emptyBucketSet(), 0),
    ).toEqual({ request: 1, kind: 'not-held', epoch: 'z' });
  });
});
