import { describe, expect, it } from 'vitest';
import { SizeCredit } from '../../../src/herald/core/size-credit.ts';

describe('the size that a client says', () => {
  it('counts as it is said while few are large, up to a hundred', () => {
    const sizes = new SizeCredit();
    for (const [said, counts] of [
      [1, 1],
      [0.5, 0.5],
      [40, 40],
      [1, 1],
    ] as const) {
      expect(sizes.weigh(said)).toBe(counts);
    }
    expect(new SizeCredit().weigh(10_000)).toBe(100);
  });

  it('counts for little where all say that they are large', () => {
    const sizes = new SizeCredit();
    for (let i = 0; i < 10; i++) sizes.weigh(100);
    expect(sizes.weigh(100)).toBe(2);
    for (let i = 0; i < 20; i++) sizes.weigh(1);
    expect(sizes.weigh(15)).toBe(15);
  });

  it('counts for no more than a hundred at once, however many have not said anything', () => {
    const sizes = new SizeCredit();
    for (let i = 0; i < 1_000; i++) sizes.weigh(1);
    expect([sizes.weigh(100), sizes.weigh(100)]).toEqual([100, 3]);
  });

  it('adds up to at most twice the number of lookups, and a hundred', () => {
    for (const said of [[100], [10_000, 0.001], [1, 1, 1, 90], [3, 0.5, 7]]) {
      const sizes = new SizeCredit();
      let sum = 0;
      for (let i = 0; i < 1_000; i++) {
        sum += sizes.weigh(said[i % said.length]!);
        expect(sum).toBeLessThanOrEqual(2 * (i + 1) + 100);
      }
    }
  });
});
