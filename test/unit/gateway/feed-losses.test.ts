import { describe, expect, it } from 'vitest';
import { FeedLosses, RESEND_GRACE_MS } from '../../../src/gateway/core/feed-losses.ts';

describe('messages that died with their broker', () => {
  it('are lost when their publishers have not sent them again in time', () => {
    const losses = new FeedLosses();
    losses.orphan({ bucket: 7, epoch: 'e1', count: 3 }, 100);
    losses.noteResent(7);
    losses.noteResent(8);
    expect(losses.due(100 + RESEND_GRACE_MS - 1).buckets).toEqual([]);
    expect(losses.due(100 + RESEND_GRACE_MS).buckets).toEqual([{ bucket: 7, epoch: 'e1', count: 2 }]);
    expect(losses.due(Infinity).buckets).toEqual([]);
  });

  it('are no loss when all came again, also between the break and the end', () => {
    const losses = new FeedLosses();
    const before = losses.resentCounts();
    losses.noteResent(7);
    losses.orphan({ bucket: 7, epoch: 'e1', count: 1 }, 0, before[7]);
    expect(losses.due(Infinity).buckets).toEqual([]);
  });

  it('are lost although others came again, before anything was known to be missing', () => {
    const losses = new FeedLosses();
    losses.noteResent(7);
    losses.orphan({ bucket: 7, epoch: 'e1', count: 1 }, 0);
    expect(losses.due(Infinity).buckets).toEqual([{ bucket: 7, epoch: 'e1', count: 1 }]);
  });
});

it('keeps what one topic misses of two brokers apart', () => {
  const losses = new FeedLosses();
  losses.suspect('t', 'e1', 7, 100);
  losses.suspect('t', 'e2', 3, 110);
  losses.suspect('t', 'e1', 6, 120);
  expect(losses.due(115).topics).toEqual([{ topic: 't', epoch: 'e2', headOffset: 3 }]);
  expect(losses.due(120).topics).toEqual([{ topic: 't', epoch: 'e1', headOffset: 7 }]);
});
