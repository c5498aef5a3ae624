import { describe, expect, it } from 'vitest';
import { admitFrame, freshRate } from '../../../src/gateway/core/rate-limit.ts';

describe('the rate limit', () => {
  it('lets a burst of two seconds pass, then its rate, and never saves up more', () => {
    const state = freshRate(10, 0);
    const take = (nowMs: number): number => {
      let taken = 0;
      while (admitFrame(state, 10, nowMs)) taken += 1;
      return taken;
    };
    expect(take(0)).toBe(20);
    expect(take(500)).toBe(5);
    expect(take(500)).toBe(0);
    expect(take(3_600_000)).toBe(20);
  });
});
