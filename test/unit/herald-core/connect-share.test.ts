import { describe, expect, it } from 'vitest';
import { ConnectShare } from '../../../src/herald/core/connect-share.ts';

describe('the share of lookups that become connections', () => {
  it('begins at 0.95, as if twenty had been seen', () => {
    const connects = new ConnectShare();
    expect(connects.share).toBe(0.95);
    connects.count(0, 20);
    expect(connects.share).toBeCloseTo(19 / 40);
  });

  it('takes back those who were given up and came after all, and no more than were', () => {
    const connects = new ConnectShare();
    connects.count(0, 20);
    connects.count(10, -10);
    expect(connects.share).toBeCloseTo(29 / 40);
    connects.count(10, -30);
    expect(connects.share).toBeCloseTo(39 / 40);
  });

  it('forgets in about ten seconds', () => {
    const connects = new ConnectShare();
    connects.roll(0);
    connects.count(0, 100);
    connects.roll(10_000);
    expect(connects.share).toBeCloseTo(19 / (100 / Math.E + 20));
  });
});
