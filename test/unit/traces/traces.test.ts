// A traced message hop by hop, each hop alone: what it notes, what it keeps, and that it forgets.

import { describe, expect, it } from 'vitest';
import { PassingTraces } from '../../../src/broker/core/passing-traces.ts';
import { createFineClock } from '../../../src/daemon/clock.ts';
import type { TracedArrival } from '../../../src/gateway/core/feed-port.ts';
import { FeedTopics } from '../../../src/gateway/core/feed-topics.ts';
import type { Group, GroupMark } from '../../../src/gateway/core/group.ts';
import { NotedStamps } from '../../../src/gateway/core/noted-stamps.ts';
import type { TraceRecord } from '../../../src/gateway/core/trace-book.ts';
import { KEPT_TRACES, TraceBook } from '../../../src/gateway/core/trace-book.ts';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import type { Publication } from '../../../src/protocol/publication.ts';
import { MESSAGE_FLAG } from '../../../src/protocol/publication.ts';
import type { TraceNote } from '../../../src/protocol/publication-trace.ts';
import { TRACE_HOPS } from '../../../src/protocol/publication-trace.ts';
import { TraceNotes } from '../../../src/publisher/core/trace-notes.ts';
import { groupOf } from '../gateway/members.ts';

const allocate = (size: number): Uint8Array => new Uint8Array(size);
const publication = (sequence: number, flags = 0, topic = 't'): Publication => ({
  topic,
  data: new Uint8Array(2),
  source: { publisher: 'p', origin: '', hop: 0 },
  sequence,
  flags,
  publishedAtMs: 1_000,
});
const note = (sequence: number): TraceNote => ({
  publisher: 'p',
  sequence,
  stamps: [{ hop: TRACE_HOPS.published, by: 'p', atMs: 1 }],
});

describe('the publisher', () => {
  it('samples one in so many by identity, and not all publishers their first', () => {
    const traces = new TraceNotes('p', 100, () => 0);
    for (const publisher of ['a', 'b', 'c']) {
      const sampled = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => traces.samples(publisher, i));
      expect(sampled).toHaveLength(100);
    }
    const first = Array.from({ length: 2_000 }, (_, i) => `p-${i}`).filter((id) => traces.samples(id, 0));
    expect(first.length).toBeGreaterThan(5);
    expect(first.length).toBeLessThan(60);
    expect(new TraceNotes('p', 0, () => 0).samples('a', 0)).toBe(false);
    expect(() => new TraceNotes('p', 1.5, () => 0)).toThrow(RangeError);
  });

  it('notes when a traced message was handed over and when it left, and of others nothing', () => {
    let now = 5.25;
    const traces = new TraceNotes('p', 0, () => now);
    const [plain, traced] = [publication(0), publication(1)];
    traces.begin(traced);
    expect(traced.flags).toBe(MESSAGE_FLAG.traced);
    now = 7.5;
    expect(traces.of([plain])).toBeUndefined();
    expect(traces.of([plain, traced])).toEqual([
      {
        publisher: 'p',
        sequence: 1,
        stamps: [
          { hop: TRACE_HOPS.published, by: 'p', atMs: 5.25 },
          { hop: TRACE_HOPS.sent, by: 'p', atMs: 7.5 },
        ],
      },
    ]);
  });
});

describe('the broker', () => {
  it('adds its two stamps, keeps those it does not know, and hands notes to their bucket once', () => {
    let now = 10;
    const traces = new PassingTraces('b1', () => now);
    const later = { hop: 77, by: 'x', atMs: 2 };
    const known = note(1);
    traces.received(
      [{ ...known, stamps: [...known.stamps, later] }, note(2)],
      [publication(1, MESSAGE_FLAG.traced), publication(2)],
    );
    expect(traces.leavingWith(undefined)).toBeUndefined();
    now = 12;
    traces.leave();
    expect(traces.leavingWith(bucketOf('t') ^ 1)).toBeUndefined();
    const [left, ...others] = traces.leavingWith(bucketOf('t'))!;
    expect(others).toEqual([]);
    expect(left?.stamps.map(({ hop, atMs }) => [hop, atMs])).toEqual([
      [TRACE_HOPS.published, 1],
      [77, 2],
      [TRACE_HOPS.received, 10],
      [TRACE_HOPS.forwarded, 12],
    ]);
    traces.left();
    expect(traces.leavingWith(undefined)).toBeUndefined();
    traces.leave();
    expect(traces.leavingWith(undefined)).toBeUndefined();
  });

  it('drops notes above its limit', () => {
    const traces = new PassingTraces('b1', () => 0);
    const many = Array.from({ length: 1_000 }, (_, i) => i);
    traces.received(
      many.map(note),
      many.map((i) => publication(i, MESSAGE_FLAG.traced)),
    );
    traces.leave();
    expect(traces.leavingWith(undefined)).toHaveLength(256);
  });
});

describe('the gateway', () => {
  const arrival = (sequence: number, stamps: TracedArrival['stamps'] = []): TracedArrival => ({
    topic: 't',
    epoch: 'e1',
    offset: 4,
    publisher: 'p',
    sequence,
    publishedAtMs: 1_000,
    stamps,
  });
  const bookOf = (): { book: TraceBook; done: TraceRecord[] } => {
    const done: TraceRecord[] = [];
    return { book: new TraceBook('gw', (record) => done.push(record)), done };
  };
  const mark = (group: Group): GroupMark => ({ group, end: group.end });
  const frame = new Uint8Array(1);

  it('hears of traced messages alone, after they were handed on', () => {
    const heard: unknown[] = [];
    const topics = new FeedTopics(
      { onMessages: (batch) => heard.push(batch.length), onGap: () => {} },
      () => {},
      ({ sequence }, epoch) => heard.push([sequence, epoch]),
    );
    topics.add('t', 0);
    const messages = [publication(1), publication(2, MESSAGE_FLAG.traced), publication(3)];
    topics.deliver(
      'e1',
      messages.map((message, i) => ({ ...message, offset: i + 1 })),
      () => {},
    );
    expect(heard).toEqual([3, [2, 'e1']]);
  });

  it('dates a message when the flush that carries it was written to the last member of each group', () => {
    const { book, done } = bookOf();
    const [one, two] = [groupOf(3), groupOf(1)];
    one.append(frame);
    one.begin();
    // Too late for the flush that is under way.
    one.append(frame);
    two.append(frame);
    book.arrived(
      arrival(9, [
        { hop: TRACE_HOPS.published, by: 'p', atMs: 1 },
        { hop: TRACE_HOPS.sent, by: 'p', atMs: 2 },
        { hop: TRACE_HOPS.received, by: 'b1', atMs: 4 },
        { hop: TRACE_HOPS.forwarded, by: 'b1', atMs: 4.5 },
        { hop: 77, by: 'x', atMs: 5 },
      ]),
      [mark(one), mark(two)],
      4,
      6,
    );
    one.writeSome(10, allocate);
    book.flushed(() => 7);
    two.begin();
    two.writeSome(10, allocate);
    one.begin();
    one.writeSome(2, allocate);
    book.flushed(() => 8);
    expect(done).toEqual([]);
    one.writeSome(2, allocate);
    book.flushed(() => 9);
    expect(done).toEqual([
      expect.objectContaining({
        id: 'p:9',
        subscribers: 4,
        spentMs: { publisher: 1, 'to-broker': 2, broker: 0.5, 'to-gateway': 1.5, gateway: 3 },
        totalMs: 8,
      }),
    ]);
    expect(done[0]!.hops.map(({ hop }) => hop)).toEqual([
      'published',
      'sent',
      'received',
      'forwarded',
      'hop-77',
      'arrived',
      'written',
    ]);
    expect(book.last(5, 'p:9')).toEqual(done);
    expect(book.last(5, 'p:8')).toEqual([]);
  });

  it('ends at once where nobody is subscribed, and where the last one left', () => {
    const { book, done } = bookOf();
    book.arrived(arrival(1), [], 0, 1_004);
    expect(done[0]).toMatchObject({ totalMs: 4, subscribers: 0, spentMs: {} });
    const group = groupOf(1);
    group.append(frame);
    book.arrived(arrival(2), [mark(group)], 1, 1_005);
    group.remove(group.members[0]!);
    book.flushed(() => 1_010);
    expect(done).toHaveLength(2);
  });

  it('keeps the last 1,000, newest first', () => {
    const { book } = bookOf();
    for (let i = 0; i < KEPT_TRACES + 5; i++) book.arrived(arrival(i), [], 0, 0);
    const ids = book.last().map(({ id }) => id);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([KEPT_TRACES, `p:${KEPT_TRACES + 4}`, 'p:5']);
  });

  it('keeps stamps until their message comes, and not for ever', () => {
    const noted = new NotedStamps();
    noted.add(Array.from({ length: 5_000 }, (_, i) => note(i)));
    expect(noted.size).toBe(1_000);
    expect(noted.take({ publisher: 'p', sequence: 4_999 })).toHaveLength(1);
    expect(noted.take({ publisher: 'p', sequence: 4_999 })).toEqual([]);
    expect(noted.take({ publisher: 'p', sequence: 1 })).toEqual([]);
  });
});

describe('the fine clock', () => {
  it('stays within the millisecond of the wall clock, through steps and drift', () => {
    let [now, wall] = [0, 1_000_000];
    const fineMs = createFineClock(
      () => now,
      () => wall,
      wall,
    );
    for (let i = 0; i < 2_000; i++) {
      now += 0.3;
      // Runs 1 % faster, and is set back and forth.
      wall = Math.floor(1_000_000 + now * 1.01) + (i % 200 === 199 ? 60_000 : 0);
      const fine = fineMs();
      expect(fine).toBeGreaterThanOrEqual(wall);
      expect(fine).toBeLessThan(wall + 1);
    }
  });
});
