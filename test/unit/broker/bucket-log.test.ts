import { describe, expect, it } from 'vitest';
import { BucketLog } from '../../../src/broker/core/bucket-log.ts';
import { MESSAGE_OVERHEAD_BYTES } from '../../../src/broker/core/message-shelves.ts';
import type { Publication } from '../../../src/protocol/publication.ts';
import { MESSAGE_FLAG } from '../../../src/protocol/publication.ts';
import type { TopicQuery } from '../../../src/protocol/publication-repair.ts';

const publication = (topic: string, bytes = 10): Publication => ({
  topic,
  data: new Uint8Array(bytes),
  source: { publisher: 'p', origin: 'main', hop: 0 },
  sequence: 0,
  flags: 0,
  publishedAtMs: 0,
});
const AMPLE = { maxMessages: 300, maxBytes: 100_000, roomBytes: 100_000 };
const since = (topic: string, afterOffset: number): TopicQuery => ({
  topic,
  want: 'since',
  epoch: 'e',
  afterOffset,
});
const filled = (maxTopics: number, ...topics: string[]): BucketLog => {
  const log = new BucketLog(3, maxTopics);
  topics.forEach((topic, i) => log.append(publication(topic), i));
  return log;
};
const offsets = (messages: readonly { offset: number }[]): number[] => messages.map(({ offset }) => offset);

describe('BucketLog', () => {
  it('numbers the bucket and each of its topics from 1', () => {
    const log = filled(10, 'a', 'b', 'a', 'a');
    const { messages } = log.range(1, 10, 100, 100_000);
    expect(messages.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['a', 3],
    ]);
    expect([log.head, log.firstHeld, log.held]).toEqual([4, 1, 4]);
    expect(log.bytes).toBe(4 * (10 + MESSAGE_OVERHEAD_BYTES));
  });

  it('answers a range from its first held message, cut to the asked size, never with a hole', () => {
    const log = filled(10, 'a', 'a', 'a', 'a', 'a');
    log.dropOldest();
    expect(log.range(1, 5, 2, 100_000)).toMatchObject({
      firstSequence: 2,
      messages: [{ offset: 2 }, { offset: 3 }],
    });
    expect(log.range(3, 3, 9, 100_000).messages).toHaveLength(1);
    expect(log.range(2, 5, 9, 1).messages).toHaveLength(1);
    expect(log.range(6, 9, 9, 100_000).messages).toEqual([]);
  });

  it.each([
    ['at the head', since('a', 3), 'complete', []],
    ['one behind', since('a', 2), 'complete', [3]],
    ['from the start', since('a', 0), 'complete', [1, 2, 3]],
    ['ahead of the head', since('a', 4), 'trimmed', []],
    ['of a topic never heard of', since('x', 0), 'complete', []],
  ] as const)('answers a resume %s', (_, query, status, expected) => {
    const answer = filled(10, 'a', 'b', 'a', 'b', 'a').history(query, true, AMPLE);
    expect(answer.status).toBe(status);
    expect(offsets(answer.messages)).toEqual(expected);
  });

  it('is all or nothing: over the limit, trimmed or of another epoch it gives no message', () => {
    const log = filled(10, 'a', 'a', 'a', 'a');
    expect(log.history(since('a', 1), true, { ...AMPLE, maxMessages: 2 })).toMatchObject({
      status: 'over-limit',
      messages: [],
    });
    expect(log.history(since('a', 1), true, { ...AMPLE, maxBytes: 25 })).toMatchObject({
      status: 'over-limit',
      messages: [],
    });
    expect(log.history(since('a', 1), false, AMPLE)).toMatchObject({
      status: 'epoch-gone',
      headOffset: 4,
      messages: [],
    });
    log.dropOldest();
    log.dropOldest();
    expect(log.history(since('a', 1), true, AMPLE)).toMatchObject({ status: 'trimmed', messages: [] });
    expect(offsets(log.history(since('a', 2), true, AMPLE).messages)).toEqual([3, 4]);
  });

  it('gives the newest that are held to who asks for those', () => {
    const log = filled(10, 'a', 'a', 'b', 'a');
    const held = { ...since('a', 0), want: 'held' as const };
    expect(offsets(log.history(held, false, { ...AMPLE, maxMessages: 2 }).messages)).toEqual([2, 3]);
    expect(log.history({ ...held, want: 'head' }, false, { ...AMPLE, maxMessages: 2 })).toMatchObject({
      headOffset: 3,
      messages: [],
    });
  });

  it('forgets topics past its bound, never an offset: a topic that comes back is numbered above', () => {
    const log = filled(2, 'a', 'a', 'a', 'b');
    for (let i = 0; i < 4; i++) log.dropOldest();
    log.append(publication('c'), 5);
    expect(log.topics).toBe(2);
    const back = log.append(publication('a'), 6);
    expect(back.offset).toBeGreaterThan(3);
    expect(back.flags & MESSAGE_FLAG.renumbered).toBe(MESSAGE_FLAG.renumbered);
    expect(log.append(publication('a'), 7)).toMatchObject({ offset: back.offset + 1, flags: 0 });
  });

  it('says where a topic stood at most at a moment, as far back as anybody may resume', () => {
    const log = filled(2, 'a', 'b', 'a', 'a');
    expect([0, 1, 2.5, 9].map((ms) => log.offsetBefore('a', ms))).toEqual([0, 1, 2, 3]);
    log.dropOldest();
    log.dropOldest();
    // What came before the oldest that is held came before it.
    expect(log.offsetBefore('a', 0)).toBe(1);
    for (let i = 0; i < 301; i++) log.append(publication('b'), 20);
    expect([log.offsetBefore('b', 20), log.offsetBefore('b', 21)]).toEqual([0, 302]);
    const few = filled(1, 'a', 'a', 'b');
    // Forgotten: it may have stood at what was forgotten last.
    expect(few.offsetBefore('a', 9)).toBe(2);
  });

  it('is not set back by a stand that it has passed, and goes on from one beyond', () => {
    const log = new BucketLog(3, 10);
    const copy = (offset: number): void => log.copy({ ...publication('a'), offset }, offset, 0, 0);
    for (const offset of [1, 2, 3]) copy(offset);
    const stand = (offset: number, forgottenOffset: number): void =>
      log.reach({ bucket: 3, head: offset, forgottenOffset, topics: [{ topic: 'a', offset }] });
    stand(3, 7);
    stand(2, 5);
    expect(offsets(log.history(since('a', 1), true, AMPLE).messages)).toEqual([2, 3]);
    expect(log.history(since('x', 0), true, AMPLE).headOffset).toBe(7);
    stand(5, 7);
    expect(log.history(since('a', 2), true, AMPLE)).toMatchObject({
      status: 'trimmed',
      headOffset: 5,
    });
  });
});
