// How losses become gaps with a count: who is asked, how long, and what is told when nobody knows.

import { expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { FeedLosses } from '../../../src/gateway/core/feed-losses.ts';
import type { FeedGap } from '../../../src/gateway/core/feed-port.ts';
import { FeedTopics } from '../../../src/gateway/core/feed-topics.ts';
import { LossSettler } from '../../../src/gateway/feed/loss-settler.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import type { StandIn } from '../../../src/subscriber/core/recover-epoch.ts';
import { messages } from '../broker/given.ts';

const BUCKET = bucketOf('a');
/** A gateway that had the first message of `e`; time passes while it waits. `answersFromMs` = Infinity: never. */
function gateway(copies: { upTo: number; answersFromMs: number }[]) {
  const gaps: FeedGap[] = [];
  const topics = new FeedTopics({ onMessages: () => {}, onGap: (gap) => gaps.push(gap) }, () => {});
  topics.add('a', 0);
  topics.deliver('e', messages(1, 1, 'a'), () => {});
  let nowMs = 0;
  let repairedMs = 0;
  const brokers = copies.map(({ upTo, answersFromMs }, i): StandIn => {
    const core = new BrokerCore(`own-${i}`, 'main', 0, DEFAULT_BROKER_LIMITS);
    core.keep('e', BUCKET, 1, messages(1, upTo, 'a'), 0);
    return {
      id: `b${i}`,
      question: (build) =>
        Promise.resolve(nowMs < answersFromMs ? undefined : core.answer(build(1), emptyBucketSet(), 0)),
    };
  });
  const settler = new LossSettler({
    topics,
    losses: new FeedLosses(),
    brokers: () => brokers,
    lacks: (bucket, epoch) => bucket === BUCKET && epoch === 'e' && nowMs < repairedMs,
    reachMs: () => nowMs,
    change() {
      nowMs += 100;
      return Promise.resolve();
    },
  });
  return {
    gaps,
    /** Until then what is missing is on its way. */
    repairsUntil: (ms: number): void => void (repairedMs = ms),
    come: (first: number, last: number): void => topics.deliver('e', messages(first, last, 'a'), () => {}),
    tickAt: (ms: number): void => {
      nowMs = ms;
      settler.tick();
    },
    settle: async (count: number): Promise<FeedGap[]> => {
      await settler.settle(brokers[0]!, BUCKET, 'e', count);
      nowMs += 10_000;
      settler.tick();
      return gaps;
    },
    tookMs: () => nowMs - 10_000,
  };
}
const counted = (count: number): FeedGap[] => [
  { topic: 'a', epoch: 'e', fromOffset: 2, count, why: 'trimmed' },
];

it('waits for the broker that knows best, and takes the furthest that anybody says', async () => {
  const late = gateway([
    { upTo: 7, answersFromMs: 2_000 },
    { upTo: 4, answersFromMs: 0 },
  ]);
  expect(await late.settle(6)).toEqual(counted(6));
  expect(late.tookMs()).toBe(2_000);
  const behind = gateway([
    { upTo: 4, answersFromMs: 0 },
    { upTo: 7, answersFromMs: 0 },
  ]);
  expect(await behind.settle(6)).toEqual(counted(6));
  expect(behind.tookMs()).toBe(0);
});

it('takes the word of another when the one that knows best never answers', async () => {
  const one = gateway([
    { upTo: 7, answersFromMs: Infinity },
    { upTo: 4, answersFromMs: 0 },
  ]);
  expect(await one.settle(6)).toEqual(counted(3));
});

it('says that it does not know how many when nobody answers', async () => {
  const one = gateway([{ upTo: 7, answersFromMs: Infinity }]);
  expect(await one.settle(6)).toEqual([
    { topic: 'a', epoch: 'e', fromOffset: 0, count: 0, why: 'broker-lost' },
  ]);
});

it('tells nothing as lost that a long repair still brings', async () => {
  const { settle, repairsUntil, come, tickAt, gaps } = gateway([{ upTo: 9, answersFromMs: 0 }]);
  repairsUntil(15_000);
  expect(await settle(1)).toEqual([]);
  // The third one is lost; the topic's last ones come late.
  come(2, 2);
  come(4, 8);
  tickAt(20_000);
  expect(gaps.map(({ fromOffset, count }) => [fromOffset, count])).toEqual([
    [3, 1],
    [9, 1],
  ]);
});
