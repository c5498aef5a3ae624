import { describe, expect, it } from 'vitest';
import { WindowedRate } from '../../../src/gateway/core/windowed-rate.ts';

describe('a windowed rate', () => {
  it('speaks of the last two seconds', () => {
    const rate = new WindowedRate();
    expect(rate.perSec(100, 0)).toBe(0);
    for (let ms = 100; ms <= 5_000; ms += 100) rate.perSec(100 + ms, ms);
    expect(rate.perSec(100 + 5_000, 6_000)).toBeCloseTo(500);
  });
});
