import { expect, it } from 'vitest';
import { CanaryLag } from '../../../src/gateway/core/canary-lag.ts';

const HOUR_MS = 3_600_000;

it.each([-HOUR_MS, 0, HOUR_MS])(
  'a probe by a clock that is %i ms off is as late as it took longer',
  (offMs) => {
    const lag = new CanaryLag();
    const late = (atMs: number, tookMs: number): number => lag.note('b', atMs + offMs, atMs + tookMs);
    expect([late(0, 5), late(1_000, 3)]).toEqual([0, 0]);
    // It forgets 2 ms a second.
    expect(late(2_000, 3_003)).toBeCloseTo(3_000 - 2 * 4);
    expect(late(5_100, 111)).toBeCloseTo(100, -1);
  },
);

it('a clock that is set back does not look late, or not for long where it was by less than a second', () => {
  const lag = new CanaryLag();
  const late = (atMs: number, offMs: number): number => lag.note('b', atMs + offMs, atMs + 2);
  expect([late(0, 0), late(1_000, -HOUR_MS), late(2_000, -HOUR_MS)]).toEqual([0, 0, 0]);
  expect(late(3_000, -HOUR_MS - 500)).toBeCloseTo(500, -1);
  for (let atMs = 4_000; atMs < 260_000; atMs += 1_000) late(atMs, -HOUR_MS - 500);
  expect(late(260_000, -HOUR_MS - 500)).toBe(0);
});

it('what is late for minutes stays late, however quick the others are', () => {
  const lag = new CanaryLag();
  lag.note('b', 0, 2);
  const late: number[] = [];
  for (let atMs = 1_000; atMs <= 480_000; atMs += 1_000) {
    expect(lag.note('other', atMs, atMs + 2)).toBe(0);
    late.push(lag.note('b', atMs, atMs + 2_002));
  }
  expect(late[0]).toBeGreaterThan(1_990);
  expect(late.at(-1)).toBeGreaterThan(1_000);
});
