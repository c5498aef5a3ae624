import { describe, expect, it } from 'vitest';
import type { FleetFactors } from '../../../src/herald/core/expected-load.ts';
import { expectedLoad, unbarredLoad, unconfirmedLoad } from '../../../src/herald/core/expected-load.ts';
import {
  ASSIGNED,
  ASSIGNED_AT,
  BAR,
  BASE,
  COST,
  INVERSE_CAPACITY,
  LATE_AFTER,
  PENDING,
  REPORTED_AT,
  STRIDE,
  YOUNG,
} from '../../../src/herald/core/gateway-slots.ts';

const NONE: FleetFactors = { pending: 0, handshake: 0 };

function given(fields: Record<number, number>): Float64Array {
  const hot = new Float64Array(2 * STRIDE);
  const usual = { [BASE]: 0.4, [COST]: 0.001, [INVERSE_CAPACITY]: 0.5, [LATE_AFTER]: 1_500 };
  for (const [field, value] of Object.entries({ ...usual, ...fields })) hot[STRIDE + Number(field)] = value;
  return hot;
}

describe('the expected load', () => {
  it.each([
    ['young connections at their cost', { [YOUNG]: 50 }, NONE, 0.45],
    ['tickets in flight, as far as they connect', { [PENDING]: 50 }, { pending: 2, handshake: 0 }, 0.5],
    ['handshakes by capacity', { [ASSIGNED]: 100, [ASSIGNED_AT]: 0 }, { pending: 0, handshake: 0.002 }, 0.5],
    ['an open breaker', { [BAR]: 10 }, NONE, 10.4],
  ])('adds %s', (_, fields, factors, load) => {
    expect(expectedLoad(given(fields), STRIDE, factors, 0)).toBeCloseTo(load, 9);
  });

  it('forgets assignments within seconds', () => {
    const hot = given({ [ASSIGNED]: 100, [ASSIGNED_AT]: 0, [REPORTED_AT]: 1_000 });
    expect(expectedLoad(hot, STRIDE, { pending: 0, handshake: 0.002 }, 1_000)).toBeCloseTo(
      0.4 + 0.1 / Math.E,
      9,
    );
  });

  it.each([
    [1_500, 0.4],
    [2_500, 0.42],
    [11_500, 0.6],
    [16_500, 0.7],
    [60_000, 0.7],
  ])('of a gateway whose report is %d ms old grows by two points a second: %f', (ageMs, load) => {
    expect(expectedLoad(given({}), STRIDE, NONE, ageMs)).toBeCloseTo(load, 9);
  });

  it('knows what lookups alone speak for, and what is no load at all', () => {
    const hot = given({ [YOUNG]: 50, [PENDING]: 50, [ASSIGNED]: 100, [BAR]: 10 });
    const factors = { pending: 2, handshake: 0.002 };
    expect(unconfirmedLoad(hot, STRIDE, factors, 0)).toBeCloseTo(0.2, 9);
    expect(unbarredLoad(hot, STRIDE, factors, 0)).toBeCloseTo(0.65, 9);
  });
});
