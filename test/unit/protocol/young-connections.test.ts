import { describe, expect, it } from 'vitest';
import {
  AVERAGING_WINDOW_MS,
  createYoungConnections,
  DEFAULT_RAMP_MS,
  hiddenShare,
} from '../../../src/protocol/young-connections.ts';

describe('the hidden share of a connection', () => {
  it.each([
    [0, 1],
    [1_000, 1 - 0.05 / 2],
    [2_000, 1 - 0.2 / 2],
    [10_000, 1 - (5 - 3.2) / 2],
    [12_000, 0],
    [60_000, 0],
  ])('at %d ms is %d', (ageMs, share) => {
    expect(hiddenShare(ageMs, AVERAGING_WINDOW_MS, DEFAULT_RAMP_MS)).toBeCloseTo(share, 9);
  });

  it.each([
    [0, 1],
    [500, 0.75],
    [2_000, 0],
  ])(
    'that costs its full load at once is, at %d ms, what the window has not seen of it: %d',
    (ageMs, share) => {
      expect(hiddenShare(ageMs, AVERAGING_WINDOW_MS, 0)).toBe(share);
    },
  );
});

describe('young connections', () => {
  it('weigh a new connection nearly 1 and a grown one nothing', () => {
    const young = createYoungConnections();
    young.opened(1_000);
    expect(young.value(1_000)).toBeGreaterThan(0.99);
    expect(young.value(6_000)).toBeCloseTo(hiddenShare(5_050, AVERAGING_WINDOW_MS, DEFAULT_RAMP_MS), 6);
    expect(young.value(14_000)).toBe(0);
  });

  it('forget a connection that closes, and do not go below zero for one they never saw', () => {
    const young = createYoungConnections();
    young.opened(5_000);
    young.closed(5_000, 5_500);
    young.closed(5_000, 5_500);
    young.closed(-90_000, 5_500);
    expect(young.value(5_500)).toBe(0);
    young.opened(5_600);
    expect(young.value(5_600)).toBeGreaterThan(0.9);
  });

  it('survive a clock that jumps both ways', () => {
    const young = createYoungConnections();
    young.opened(1_000);
    young.opened(1e9);
    expect(young.value(1e9)).toBeLessThan(1.01);
    young.opened(500);
    expect(young.value(1e9)).toBeGreaterThan(1.9);
    expect(young.value(2e12)).toBe(0);
  });

  it.each([0, 1_000, 60_000])('with a ramp of %d ms are young so long and a window more', (rampMs) => {
    const young = createYoungConnections(rampMs);
    young.opened(0);
    expect(young.value(rampMs + AVERAGING_WINDOW_MS - 200)).toBeGreaterThan(0);
    expect(young.value(rampMs + AVERAGING_WINDOW_MS)).toBe(0);
  });

  it.each([-1, 60_001, NaN])('know no ramp of %d ms', (rampMs) => {
    expect(() => createYoungConnections(rampMs)).toThrow(`rampMs: received ${rampMs}, expected 0 to 60000`);
  });
});
