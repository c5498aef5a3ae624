import { describe, expect, it } from 'vitest';
import { LookupRates } from '../../../src/herald/core/lookup-rates.ts';

/** After ten minutes of `usual` lookups a second and ten seconds of `now`. */
function after(usual: number, now: number): LookupRates {
  const rates = new LookupRates();
  let due = 0;
  for (let tick = 0; tick <= 6_100; tick++) {
    rates.roll(tick * 100);
    for (due += (tick < 6_000 ? usual : now) / 10; due >= 1; due--) rates.countLookup();
  }
  return rates;
}

describe('how many gateways a lookup looks at', () => {
  it.each([
    ['all it may, at the usual rate', 100, 100, 8],
    ['and at twice that', 100, 200, 8],
    ['half of them at four times', 100, 400, 4],
    ['never fewer than two', 100, 4_000, 2],
    ['all of them in a crowd of a few', 0, 4, 8],
  ])('%s', (_, usual, now, draws) => {
    // The crowd itself becomes a little usual in its ten seconds.
    expect(Math.abs(after(usual, now).drawsFor(8) - draws)).toBeLessThanOrEqual(draws === 4 ? 1 : 0);
  });

  it('is all in the first seconds: that they began to come is no crowd', () => {
    const rates = new LookupRates();
    for (let tick = 0; tick <= 20; tick++) {
      rates.roll(tick * 100);
      for (let i = 0; i < 100; i++) rates.countLookup();
    }
    expect(rates.perSec).toBeCloseTo(1_000);
    expect(rates.drawsFor(8)).toBe(8);
  });
});

describe('the share refused', () => {
  it('is a mean over time, in which a time without lookups counts as well', () => {
    const rates = new LookupRates();
    const passing = (ticks: number, fromMs: number, refused: boolean): void => {
      for (let tick = 0; tick < ticks; tick++) {
        rates.roll(fromMs + tick * 100);
        if (!refused) continue;
        rates.countLookup();
        rates.countRefusal();
      }
    };
    passing(31, 0, true);
    expect(rates.refusedShare).toBeCloseTo(1 - Math.exp(-1), 2);
    passing(30, 3_100, false);
    expect(rates.refusedShare).toBeLessThan(0.27);
  });
});

describe('in a crowd', () => {
  const rates = (perSec: (sec: number) => number, untilSec: number): LookupRates => {
    const found = new LookupRates();
    for (let step = 0; step <= untilSec * 10; step++) {
      found.roll(step * 100);
      for (let i = perSec(step / 10) / 10; i >= 1; i--) found.countLookup();
    }
    return found;
  };

  it('a lookup looks at two gateways, at eight as soon as the rate is usual again', () => {
    expect(rates(() => 100, 300).drawsFor(8)).toBe(8);
    expect(rates((sec) => (sec < 300 ? 100 : 5_000), 304).drawsFor(8)).toBe(2);
    expect(rates((sec) => (sec > 300 && sec < 305 ? 5_000 : 100), 330).drawsFor(8)).toBe(8);
  });
});
