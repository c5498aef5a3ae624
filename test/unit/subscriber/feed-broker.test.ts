// When a gateway asks a broker again, where it joins, and when it gives up.

import { describe, expect, it } from 'vitest';
import { BrokerFeed } from '../../../src/subscriber/core/feed-broker.ts';
import type { Heads, Section } from '../../../src/protocol/publication-envelope.ts';
import { BucketFeed } from '../../../src/subscriber/core/feed-bucket.ts';
import { aMessage, aSection } from '../broker/given.ts';

const section = (first: number, count: number): Section => aSection(7, first, count);

function gateway(interestSinceMs = 0) {
  let sinceMs = interestSinceMs;
  const events: string[] = [];
  const feed = new BrokerFeed(
    {
      fromStart: (_bucket, epoch, beganMs) => events.push(`${epoch} from its start at ${beganMs}`),
      deliver: (_bucket, epoch, messages) =>
        events.push(...messages.map(({ offset }) => `${epoch}${offset}`)),
      lost: (_bucket, epoch, count, why) => events.push(`${epoch} lost ${count} ${why}`),
      // Nobody kept a copy here: what is missing is given up.
      ended({ epoch, buckets }) {
        for (const bucket of buckets.values()) {
          for (let missing = bucket.missing(); missing; missing = bucket.missing()) {
            bucket.skipTo(missing.to + 1, (count) => events.push(`${epoch} ended without ${count}`));
          }
        }
      },
      askHeads: () => events.push('heads?'),
      askRange: (_bucket, from, to) => events.push(`${from}-${to}?`),
    },
    (bucket) => (bucket === 7 && sinceMs < Infinity ? sinceMs : undefined),
  );
  const heads = (epoch: string, sequence: number, upMs: number, nowMs: number): void =>
    feed.reply({ kind: 'heads', request: 1, epoch, upMs, heads: [{ bucket: 7, sequence }] }, nowMs);
  const beat = (sequence: number, nowMs: number, state: Heads['state'] = 'up'): void =>
    feed.heartbeat({ epoch: 'e', broker: 'b', state, nowMs, heads: [{ bucket: 7, sequence }] }, nowMs);
  const range = (firstHeldSequence: number, headSequence: number, part: Section, nowMs: number): void => {
    const answer = { bucket: 7, firstHeldSequence, headSequence, section: part };
    feed.reply({ kind: 'range', request: 2, epoch: 'e', ...answer }, nowMs);
  };
  const take = (): string[] => events.splice(0);
  /** Infinity = not at all. */
  const wantedFrom = (ms: number): void => void (sinceMs = ms);
  return { feed, heads, beat, range, take, wantedFrom };
}

describe('BrokerFeed', () => {
  it('joins a broker that was there before at its head', () => {
    const { feed, heads, take } = gateway();
    feed.refresh(0);
    heads('e', 40, 3_600_000, 10);
    feed.envelope({ epoch: 'e', sections: [section(41, 2)] }, 20);
    expect(take()).toEqual(['heads?', 'e41', 'e42']);
  });

  it('holds a limited number of bytes while a broker does not say where it stands, and repairs the rest', () => {
    const { feed, heads, take } = gateway();
    const megabyte = 16;
    const data = new Uint8Array(65_536);
    const envelope = (n: number): void => {
      const messages = Array.from({ length: megabyte }, (_, i) => aMessage(n * megabyte + i + 1, { data }));
      const sections = [{ bucket: 7, firstSequence: n * megabyte + 1, messages }];
      feed.envelope({ epoch: 'e', sections }, n);
    };
    for (let n = 0; n < 100; n++) envelope(n);
    heads('e', 100 * megabyte, 3_600_000, 1_000);
    const events = take();
    expect(events.slice(0, 2)).toEqual(['heads?', 'e1']);
    expect(events.at(-2)).toBe(`e${64 * megabyte}`);
    expect(events.at(-1)).toBe(`${64 * megabyte + 1}-${100 * megabyte}?`);
  });

  it('keeps nothing of an envelope but what waits behind a hole', () => {
    const frame = new Uint8Array(100_000);
    const held: Uint8Array[] = [];
    const waits = aMessage(2, { data: frame.subarray(10, 20) });
    const feed = new BucketFeed((messages) => held.push(...messages.map(({ data }) => data)));
    feed.join(1);
    feed.receive({ bucket: 7, firstSequence: 2, messages: [waits] });
    feed.receive({ bucket: 7, firstSequence: 1, messages: [aMessage(1)] });
    expect(held[1]!.buffer.byteLength).toBe(10);
    expect(feed.aheadBytes).toBe(0);
  });

  it('learns nothing from an answer that holds nothing: the question may have been for a life before', () => {
    const { feed, heads, range, take } = gateway();
    feed.refresh(0);
    heads('e', 0, 100, 10);
    feed.envelope({ epoch: 'e', sections: [section(1, 1)] }, 20);
    range(1, 1, section(500, 0), 30);
    feed.envelope({ epoch: 'e', sections: [section(2, 1)] }, 40);
    expect(take()).toEqual(['heads?', 'e1', 'e2']);
  });

  it('joins a broker that was out of reach where it stood before the bucket was wanted', () => {
    const late = gateway();
    late.wantedFrom(Infinity);
    for (const [sequence, nowMs] of [
      [38, 1_000],
      [40, 2_000],
    ] as const) {
      late.beat(sequence, nowMs);
    }
    late.take();
    late.wantedFrom(2_500);
    late.feed.outOfReach();
    late.feed.refresh(2_600);
    late.heads('e', 45, 3_600_000, 2_610);
    expect(late.take()).toEqual(['heads?', '39-45?']);

    const prompt = gateway();
    prompt.wantedFrom(Infinity);
    prompt.beat(38, 1_000);
    prompt.take();
    prompt.wantedFrom(2_500);
    prompt.feed.refresh(2_500);
    prompt.heads('e', 45, 3_600_000, 2_600);
    expect(prompt.take()).toEqual(['heads?']);
  });

  it('hears a broker that came later from its first message', () => {
    const { feed, heads, range, take } = gateway();
    feed.refresh(5_000);
    feed.envelope({ epoch: 'e', sections: [section(3, 1)] }, 5_010);
    heads('e', 3, 2_000, 5_020);
    expect(take()).toEqual(['heads?', 'e from its start at 3020', '1-2?']);
    range(1, 3, section(1, 2), 5_030);
    expect(take()).toEqual(['e1', 'e2', 'e3']);
  });

  it('joins at the head where the interest is younger than the broker, however young that is', () => {
    const { feed, heads, take } = gateway(4_900);
    feed.refresh(5_000);
    heads('e', 3, 2_000, 5_020);
    feed.envelope({ epoch: 'e', sections: [section(4, 1)] }, 5_030);
    expect(take()).toEqual(['heads?', 'e4']);
  });

  it('joins at the head where it first hears of a broker that was there for a while, however old the interest', () => {
    const { feed, heads, take } = gateway();
    feed.refresh(60_000);
    heads('e', 40, 20_000, 60_010);
    expect(take()).toEqual(['heads?']);
  });

  it('sees a loss at the tail by the heartbeat and asks for it', () => {
    const { feed, heads, beat, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    feed.envelope({ epoch: 'e', sections: [section(1, 1)] }, 10);
    take();
    beat(3, 20);
    expect(take()).toEqual(['2-3?']);
    beat(3, 900);
    expect(take()).toEqual([]);
    for (const nowMs of [1_100, 2_200, 3_300, 4_400]) feed.tick(nowMs);
    expect(take()).toEqual(['2-3?', '2-3?', '2-3?', '2-3?']);
    feed.tick(5_500);
    expect(take()).toEqual(['e lost 2 broker-lost']);
  });

  it('asks again after a while, not in a circle, where an answer brings nothing', () => {
    const { feed, heads, range, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    feed.envelope({ epoch: 'e', sections: [section(3, 1)] }, 10);
    take();
    range(1, 3, section(1, 0), 20);
    expect(take()).toEqual([]);
    feed.tick(1_100);
    expect(take()).toEqual(['1-2?']);
  });

  it('asks a new life at once, whatever the one before was asked', () => {
    const { feed, heads, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    feed.envelope({ epoch: 'e', sections: [section(3, 1)] }, 10);
    heads('f', 0, 10, 20);
    take();
    feed.envelope({ epoch: 'f', sections: [section(2, 1)] }, 30);
    expect(take()).toEqual(['1-1?']);
  });

  it('asks for eight buckets at a time', () => {
    const asked: number[] = [];
    const feed = new BrokerFeed(
      {
        fromStart: () => {},
        deliver: () => {},
        lost: () => {},
        ended: () => {},
        askHeads: () => {},
        askRange: (bucket) => asked.push(bucket),
      },
      () => 0,
    );
    feed.reply({ kind: 'heads', request: 1, epoch: 'e', upMs: 3_600_000, heads: [] }, 0);
    const sections = Array.from({ length: 20 }, (_, bucket) => aSection(bucket, 2, 1));
    feed.envelope({ epoch: 'e', sections }, 10);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const found = { bucket: 3, firstHeldSequence: 1, headSequence: 2, section: aSection(3, 1, 1) };
    feed.reply({ kind: 'range', request: 2, epoch: 'e', ...found }, 20);
    expect(asked.slice(8)).toEqual([8]);
  });

  it('counts what the ring no longer holds and goes on behind it', () => {
    const { feed, heads, range, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    feed.envelope({ epoch: 'e', sections: [section(9, 1)] }, 10);
    take();
    range(6, 9, section(6, 3), 20);
    expect(take()).toEqual(['e lost 5 trimmed', 'e6', 'e7', 'e8', 'e9']);
  });

  it('takes what a life before had sent, when the next one has answered already', () => {
    const { feed, heads, beat, take } = gateway();
    feed.refresh(0);
    heads('e', 0, 100, 10);
    feed.envelope({ epoch: 'e', sections: [section(1, 1)] }, 20);
    heads('f', 1, 10, 30);
    take();
    feed.envelope({ epoch: 'e', sections: [section(2, 2)] }, 40);
    beat(9, 41);
    feed.envelope({ epoch: 'f', sections: [section(1, 1)] }, 50);
    expect(take()).toEqual(['e2', 'e3', 'f1']);
    expect(feed.epoch).toBe('f');
  });

  it('goes on with the present life after old envelopes of several before it', () => {
    const { feed, heads, take } = gateway();
    feed.refresh(0);
    heads('third', 0, 10, 20);
    feed.envelope({ epoch: 'third', sections: [section(1, 1)] }, 30);
    // The other socket still holds what was sent before two restarts.
    feed.envelope({ epoch: 'first', sections: [section(1, 1)] }, 40);
    feed.envelope({ epoch: 'second', sections: [section(1, 1)] }, 41);
    heads('third', 1, 40, 50);
    feed.envelope({ epoch: 'third', sections: [section(1, 2)] }, 60);
    expect(take().filter((event) => event.startsWith('third'))).toEqual([
      'third from its start at 10',
      'third1',
      'third2',
    ]);
  });

  it('takes a new epoch for a new life, and hands over what was missing of the old one', () => {
    const { feed, heads, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    feed.envelope({ epoch: 'e', sections: [section(1, 1), section(5, 1)] }, 10);
    take();
    feed.envelope({ epoch: 'f', sections: [section(1, 1)] }, 20);
    // Message 5 had come: it is delivered behind the loss.
    expect(take()).toEqual(['e ended without 3', 'e5', 'heads?']);
    heads('f', 1, 10, 30);
    expect(take()).toEqual(['f from its start at 20', 'f1']);
  });

  it('goes on where it was with a broker that was let go and comes back in the same life', () => {
    const { feed, heads, take, wantedFrom } = gateway();
    feed.refresh(0);
    heads('e', 40, 3_600_000, 10);
    feed.envelope({ epoch: 'e', sections: [section(41, 1)] }, 20);
    feed.end(1_000);
    take();
    feed.refresh(2_000);
    // It sent two while nobody listened.
    feed.envelope({ epoch: 'e', sections: [section(44, 1)] }, 2_005);
    heads('e', 44, 3_600_000, 2_010);
    expect(take()).toEqual(['heads?', '42-43?']);
    // Wanted anew since it went: what was before is nobody's.
    feed.end(3_000);
    wantedFrom(3_500);
    take();
    feed.refresh(4_000);
    heads('e', 50, 3_600_000, 4_010);
    expect(take()).toEqual(['heads?']);
  });

  it('is complete once the goodbye came and nothing is missing', () => {
    const { feed, heads, beat, range, take } = gateway();
    heads('e', 0, 3_600_000, 0);
    beat(2, 10, 'bye');
    expect(feed.complete).toBe(false);
    range(1, 2, section(1, 2), 20);
    expect(feed.complete).toBe(true);
    feed.heartbeat({ epoch: 'f', broker: 'b', state: 'up', nowMs: 40, heads: [] }, 40);
    expect(feed.complete).toBe(false);
    take();
  });
});
