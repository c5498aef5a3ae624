import { describe, expect, it } from 'vitest';
import { ReplicaShare } from '../../../src/herald/core/replica-share.ts';

describe('the share of this Herald', () => {
  it('is taken from the number of Heralds until there are ten tickets to judge by', () => {
    const share = new ReplicaShare();
    expect(share.factor).toBe(1);
    share.count('h1', true, 1, 0);
    for (const id of ['h2', 'h3']) share.count(id, false, 4, 0);
    expect(share.factor).toBe(3);
    share.count('h1', true, 5, 0);
    expect(share.factor).toBe(14 / 6);
  });

  it('never makes a ticket count for more than two for each Herald, nor for less than one', () => {
    const share = new ReplicaShare();
    share.count('h1', true, 1, 0);
    share.count('h2', false, 99, 0);
    expect(share.factor).toBe(4);
    const alone = new ReplicaShare();
    alone.count('h1', true, 50, 0);
    expect(alone.factor).toBe(1);
  });

  it('fades within half a minute, and a Herald of whom nothing is heard for a minute counts no more', () => {
    const share = new ReplicaShare();
    share.roll(0);
    share.count('h1', true, 100, 0);
    share.count('h2', false, 100, 0);
    share.roll(30_000);
    share.count('h1', true, 100, 30_000);
    expect(share.factor).toBeCloseTo((100 + 200 / Math.E) / (100 + 100 / Math.E));
    share.roll(60_000);
    expect(share.factor).toBeCloseTo((100 + 200 / Math.E) / (100 + 100 / Math.E));
    // Ten minutes later nothing is left to judge by, and one Herald was heard of last.
    share.count('h1', true, 1, 600_000);
    share.roll(600_000);
    expect(share.factor).toBe(1);
  });
});
