import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/herald/core/token-bucket.ts';
import { aBalancer, aLookup, aReport } from './given.ts';

describe('the token bucket', () => {
  it('lets a burst pass, then the rate, and queues the refused one behind the other', () => {
    const bucket = new TokenBucket(10, 3);
    expect([1, 2, 3].map(() => bucket.take(0))).toEqual([0, 0, 0]);
    expect([1, 2, 3].map(() => bucket.take(0))).toEqual([100, 200, 300]);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.take(100)).toBeGreaterThan(0);
  });

  it('saves up no more than a burst, which is at least one', () => {
    for (const [perSec, burst, passing] of [
      [10, 3, 3],
      [10, 0, 10],
      [0.5, 0, 1],
    ] as const) {
      const bucket = new TokenBucket(perSec, burst);
      bucket.take(0);
      const waits = Array.from({ length: 20 }, () => bucket.take(3_600_000));
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(passing);
    }
  });

  it('sends nobody away for more than a minute', () => {
    const bucket = new TokenBucket(1, 1);
    for (let i = 0; i < 500; i++) expect(bucket.take(0)).toBeLessThanOrEqual(60_000);
    const slow = new TokenBucket(0.001, 1);
    expect([slow.take(0), slow.take(0), slow.take(0)]).toEqual([0, 60_000, 60_000]);
  });

  it('sends those who find the whole minute taken to all of it, not to its end', () => {
    const bucket = new TokenBucket(10, 1);
    const waits = Array.from({ length: 6_001 }, () => bucket.take(0)).slice(1);
    const together = new Map<number, number>();
    for (const waitMs of waits) together.set(waitMs, (together.get(waitMs) ?? 0) + 1);
    expect(together.size).toBe(600);
    expect(Math.max(...together.values())).toBe(10);
  });

  it('limits a pool', () => {
    const balancer = aBalancer({ pools: { default: { lookupsPerSec: 5, lookupBurst: 2 } } });
    balancer.report(aReport('a'), 0);
    expect([1, 2].map(() => balancer.lookup(aLookup(), 0).ok)).toEqual([true, true]);
    expect(balancer.lookup(aLookup(), 0)).toEqual({
      ok: false,
      lookupId: expect.any(String) as string,
      code: 'rate-limited',
      detail: 'pool default is at its rate limit of lookups',
      refused: {},
      retryAfterMs: 200,
    });
  });
});
