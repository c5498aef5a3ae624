// What of the brokers' messages reaches the hub, and what it is told of losses.

import { describe, expect, it } from 'vitest';
import { FeedLosses, RESEND_GRACE_MS } from '../../../src/gateway/core/feed-losses.ts';
import type { DeliveredMessage, FeedGap } from '../../../src/gateway/core/feed-port.ts';
import { FeedTopics } from '../../../src/gateway/core/feed-topics.ts';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { MESSAGE_FLAG } from '../../../src/protocol/publication.ts';
import type { SequencedMessage } from '../../../src/protocol/publication-envelope.ts';
import { aMessage } from '../broker/given.ts';

let sequence = 0;
/** A message of its own, whatever its number. */
const message = (topic: string, offset: number, more: Partial<SequencedMessage> = {}): SequencedMessage =>
  aMessage(offset, { topic, sequence: sequence++, ...more });

function hub(...topics: string[]) {
  const told: (number | FeedGap)[] = [];
  const feed = new FeedTopics(
    {
      onMessages: (batch: readonly DeliveredMessage[]) => told.push(...batch.map(({ offset }) => offset)),
      onGap: (gap) => told.push(gap),
    },
    () => {},
  );
  for (const topic of topics) feed.add(topic, 0);
  let resentNew = 0;
  const deliver = (epoch: string, ...messages: SequencedMessage[]): void =>
    feed.deliver(epoch, messages, () => void (resentNew += 1));
  return { feed, told, deliver, resentNew: () => resentNew };
}
const gap = (more: Partial<FeedGap>): FeedGap => ({
  topic: 'a',
  epoch: 'e',
  fromOffset: 0,
  count: 0,
  why: 'trimmed',
  ...more,
});

describe('FeedTopics', () => {
  it('tells a jump of the offset as a gap of exactly that size, at its place', () => {
    const { told, deliver } = hub('a');
    deliver('e', message('a', 5), message('a', 6), message('a', 9), message('a', 10));
    expect(told).toEqual([5, 6, gap({ fromOffset: 7, count: 2 }), 9, 10]);
  });

  it('sees a loss before the first message when it knew the head', () => {
    const { feed, told, deliver } = hub('a');
    feed.noteHead('a', { epoch: 'e', offset: 3 });
    deliver('e', message('a', 3), message('a', 5));
    expect(told).toEqual([gap({ fromOffset: 4, count: 1 }), 5]);
  });

  describe('of what is sent again', () => {
    const gateway = () => {
      const heard: string[] = [];
      const feed = new FeedTopics(
        {
          onMessages: (batch) => heard.push(...batch.map(({ epoch, offset }) => `${epoch}:${offset}`)),
          onGap: () => {},
        },
        () => {},
      );
      const deliver = (epoch: string, offset: number, number: number, flags = 0): void =>
        feed.deliver(epoch, [message('late', offset, { sequence: number, flags })], () => {});
      return { feed, heard, deliver };
    };

    it('hands on what passed before its topic was wanted, once and where it stood first', () => {
      const { feed, heard, deliver } = gateway();
      deliver('e', 9, 1);
      deliver('e', 10, 2);
      feed.add('late', 0);
      deliver('e', 11, 3);
      for (const epoch of ['f', 'g'])
        for (const [at, number] of [1, 2, 3].entries()) deliver(epoch, at + 1, number, MESSAGE_FLAG.acked);
      deliver('g', 4, 4);
      expect(heard).toEqual(['e:11', 'e:9', 'e:10', 'g:4']);
    });

    it('hands on what passed while others wanted its topic, who have left, once to each who came since', () => {
      const { feed, heard, deliver } = gateway();
      for (const [at, epoch] of ['e', 'f', 'g'].entries()) {
        feed.add('late', 0);
        deliver(epoch, 9, 1, at > 0 ? MESSAGE_FLAG.acked : 0);
        deliver(`${epoch}2`, 1, 1, MESSAGE_FLAG.acked);
        feed.remove('late');
      }
      expect(heard).toEqual(['e:9', 'e:9', 'e:9']);
    });

    it('knows the first copy, which a broker that was frozen for long had taken and not sent', () => {
      const { feed, heard, deliver } = gateway();
      feed.add('late', 0);
      deliver('f', 1, 1, MESSAGE_FLAG.resent);
      deliver('f', 2, 2);
      deliver('f', 3, 100_000);
      deliver('e', 9, 1);
      // Of one that nobody sent again, a late copy may be the only one.
      deliver('e', 10, 3);
      expect(heard).toEqual(['f:1', 'f:2', 'f:3', 'e:10']);
    });
  });

  it('takes neither a new epoch nor a renumbered topic for a loss', () => {
    const { told, deliver } = hub('a');
    deliver('e', message('a', 5));
    deliver('f', message('a', 3), message('a', 90, { flags: MESSAGE_FLAG.renumbered }));
    expect(told).toEqual([5, 3, 90]);
  });

  it('counts what it never had of a life that it hears from the start', () => {
    const { feed, told, deliver } = hub('a', 'b');
    feed.heardFromStart(bucketOf('a'), 'f', 1);
    feed.heardFromStart(bucketOf('b'), 'f', 1);
    deliver('e', message('a', 5), message('b', 5));
    deliver('f', message('a', 3));
    feed.settleHead('b', 'f', 4);
    feed.settleHead('b', 'f', 4);
    expect(told).toEqual([
      5,
      5,
      gap({ epoch: 'f', fromOffset: 1, count: 2 }),
      3,
      gap({ topic: 'b', epoch: 'f', fromOffset: 1, count: 4 }),
    ]);
  });

  it('counts nothing of before a topic was wanted, nor of a life it forgot', () => {
    const { feed, told, deliver } = hub('a');
    const bucket = bucketOf('a');
    feed.heardFromStart(bucket, 'old', -1);
    feed.heardFromStart(bucket, 'f', 1);
    deliver('old', message('a', 7));
    for (const epoch of ['f', 'g', 'h', 'i', 'j', 'k', 'l', 'm']) deliver(epoch, message('a', 1));
    deliver('f', message('a', 9));
    expect(told).toEqual([7, 1, 1, 1, 1, 1, 1, 1, 1, 9]);
  });

  it('follows a topic that two brokers carry while its owner changes', () => {
    const { told, deliver } = hub('a');
    deliver('e', message('a', 5));
    deliver('f', message('a', 1));
    deliver('e', message('a', 6), message('a', 8));
    deliver('f', message('a', 2));
    expect(told).toEqual([5, 1, 6, gap({ fromOffset: 7, count: 1 }), 8, 2]);
  });

  it('tells the hole of a life that ended while two others came', () => {
    const { told, deliver } = hub('a');
    deliver('e', message('a', 5));
    deliver('f', message('a', 1));
    deliver('g', message('a', 1));
    deliver('e', message('a', 9));
    deliver('g', message('a', 2));
    expect(told).toEqual([5, 1, 1, gap({ fromOffset: 6, count: 3 }), 9, 2]);
  });

  it('delivers once what two brokers forwarded, without a gap', () => {
    const { feed, told, deliver, resentNew } = hub('a');
    const flags = MESSAGE_FLAG.resent | MESSAGE_FLAG.acked;
    deliver('e', message('a', 1, { sequence: 900 }));
    deliver('f', message('a', 1, { sequence: 900, flags }), message('a', 2, { sequence: 901, flags }));
    expect(told).toEqual([1, 2]);
    expect(feed.counts).toMatchObject({ received: 3, delivered: 2, duplicates: 1 });
    expect(resentNew()).toBe(1);
  });

  it('tells a hole also before a message that another broker has carried', () => {
    const { told, deliver } = hub('a');
    deliver('e', message('a', 1));
    deliver('f', message('a', 1, { sequence: 910 }));
    deliver('e', message('a', 4, { sequence: 910 }), message('a', 5));
    expect(told).toEqual([1, 1, gap({ fromOffset: 2, count: 2 }), 5]);
  });

  it('counts every message it received in one place', () => {
    const { feed, deliver } = hub('a');
    const flags = MESSAGE_FLAG.canary;
    deliver('e', message('a', 1), message('b', 1), message('$canary.1', 1, { flags }), message('a', 1));
    const { received, delivered, notSubscribed, duplicates, canaries } = feed.counts;
    expect([received, delivered, notSubscribed, duplicates, canaries]).toEqual([4, 1, 1, 1, 1]);
  });

  it('settles a topic that stays silent after a loss by its head', () => {
    const { feed, told, deliver } = hub('a');
    deliver('e', message('a', 5));
    feed.settleHead('a', 'e', 5);
    feed.settleHead('a', 'other', 9);
    feed.settleHead('a', 'e', 8);
    deliver('e', message('a', 9));
    expect(told).toEqual([5, gap({ fromOffset: 6, count: 3 }), 9]);
  });

  it('knows since when a bucket is wanted, whatever else of it is wanted later', () => {
    const { feed } = hub();
    const bucket = bucketOf('a');
    const alike = Array.from({ length: 10_000 }, (_, n) => `t${n}`).find(
      (name) => bucketOf(name) === bucket,
    )!;
    expect([feed.add('a', 7), feed.add(alike, 8)]).toEqual([true, false]);
    expect(feed.interestSince(bucket)).toBe(7);
    expect([feed.remove('a'), feed.interestSince(bucket)]).toEqual([false, 7]);
    expect([feed.remove(alike), feed.interestSince(bucket)]).toEqual([true, undefined]);
  });

  it('remembers the beginnings of 16 lives', () => {
    const { feed, told, deliver } = hub('a');
    for (let n = 0; n <= 16; n++) feed.heardFromStart(bucketOf('a'), `e${n}`, 1);
    deliver('e0', message('a', 3));
    deliver('e1', message('a', 3));
    expect(told).toEqual([3, gap({ epoch: 'e1', fromOffset: 1, count: 2 }), 3]);
  });

  it('knows its buckets of interest from the first topic to the last', () => {
    const { feed } = hub();
    expect([feed.add('a', 7), feed.add('a', 8)]).toEqual([true, false]);
    expect(feed.interestSince(bucketOf('a'))).toBe(7);
    expect([feed.remove('a'), feed.remove('a')]).toEqual([true, false]);
    expect([feed.interestSince(bucketOf('a')), feed.interestedBuckets()]).toEqual([undefined, []]);
  });
});

describe('FeedLosses', () => {
  it('counts as lost what died with a broker and was not sent again', () => {
    const losses = new FeedLosses();
    losses.noteResent(3);
    const before = losses.resentCounts();
    losses.noteResent(3);
    losses.orphan({ bucket: 3, epoch: 'e', count: 5 }, 0, before[3]);
    losses.noteResent(3);
    expect(losses.due(RESEND_GRACE_MS - 1).buckets).toEqual([]);
    expect(losses.due(RESEND_GRACE_MS).buckets).toEqual([{ bucket: 3, epoch: 'e', count: 3 }]);
    expect(losses.due(RESEND_GRACE_MS * 2).buckets).toEqual([]);
  });

  it('counts nothing when all of it came again', () => {
    const losses = new FeedLosses();
    losses.orphan({ bucket: 3, epoch: 'e', count: 1 }, 0);
    losses.noteResent(3);
    expect(losses.due(RESEND_GRACE_MS).buckets).toEqual([]);
  });
});

it('is not set back by an answer that comes later than messages did', () => {
  const { feed, told, deliver } = hub('a');
  deliver('e', message('a', 1), message('a', 2), message('a', 3));
  feed.noteHead('a', { epoch: 'e', offset: 1 });
  deliver('e', message('a', 4));
  expect(told).toEqual([1, 2, 3, 4]);
});
