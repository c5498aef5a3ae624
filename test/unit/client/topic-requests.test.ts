import { describe, expect, it } from 'vitest';
import type { TopicRequests } from '../../../src/client/core/topic-requests.ts';
import { createTopicRequests } from '../../../src/client/core/topic-requests.ts';

const LARGE = 65_536;
const many = (count: number, name = 'topic'): string[] =>
  Array.from({ length: count }, (_, i) => `${name}.${i}`);

function asking(): TopicRequests {
  return createTopicRequests((c) => ({ c, from: { e: 'epoch', o: 7 } }));
}

function sizes(requests: TopicRequests, maxBytes: number): number[] {
  const counts: number[] = [];
  for (let next = requests.next(maxBytes); next; next = requests.next(maxBytes))
    counts.push(next.items.length);
  return counts;
}

describe('requests about topics', () => {
  it('fill a frame, and never more than the gateway takes', () => {
    const requests = asking();
    const topics = many(300, 'a'.repeat(200));
    requests.add('sub', topics);
    const frames: string[] = [];
    for (let next = requests.next(8_192); next; next = requests.next(8_192)) {
      frames.push(JSON.stringify({ op: next.what, id: 4_294_967_295, c: next.items }));
      requests.answered();
    }
    expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThanOrEqual(8_192);
    expect(frames.length).toBeLessThan(12);
    const sent = frames.flatMap((frame) => (JSON.parse(frame) as { c: { c: string }[] }).c);
    expect(sent.map(({ c }) => c)).toEqual(topics);
  });

  it('send one topic that is larger than a frame all the same', () => {
    const requests = asking();
    requests.add('unsub', many(2));
    expect(sizes(requests, 1)).toEqual([1, 1]);
  });

  it('let 16 wait for their answer', () => {
    const requests = asking();
    requests.add('sub', many(20_000));
    expect(sizes(requests, LARGE)).toEqual(Array.from({ length: 16 }, () => 1_000));
    expect(requests.subWaits()).toBe(true);
    requests.answered();
    expect(sizes(requests, LARGE)).toEqual([1_000]);
    for (let i = 0; i < 16; i++) requests.answered();
    expect(sizes(requests, LARGE)).toEqual([1_000, 1_000, 1_000]);
    expect(requests.subWaits()).toBe(false);
  });

  it('are of the last wish for each topic, those to leave first', () => {
    const requests = asking();
    requests.add('sub', many(3));
    requests.add('unsub', ['topic.1', 'old']);
    requests.add('sub', ['topic.3', 'old']);
    expect(requests.next(LARGE)).toEqual({ what: 'unsub', items: ['topic.1'] });
    const sub = requests.next(LARGE)?.items as { c: string }[];
    expect(sub.map(({ c }) => c)).toEqual(['topic.0', 'topic.2', 'topic.3', 'old']);
    expect(requests.next(LARGE)).toBeUndefined();
  });
});
