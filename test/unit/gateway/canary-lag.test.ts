import { expect, it } from 'vitest';
import { CanaryLag } from '../../../src/gateway/core/canary-lag.ts';

const HOUR_MS = 3_600_000;

it.each([-HOUR_MS, 0, HOUR_MS])(
  'a probe by a clock that is %i ms off is as late as it took longer',
  (offMs) => {
    const lag = new CanaryLag();
    const late = (atMs: number, tookMs: number): number => lag.note('b', atMs + offMs, atMs + tookMs);
    expect([late(0, 5), late(1_000, 3), late(2_000, 3_003), late(3_000, 4)]).toEqual([0, 0, 3_000, 1]);
  },
);

it('a clock that is set back is believed again soon, and nobody else looks late for it', () => {
  const lag = new CanaryLag();
  const late: number[] = [];
  for (let atMs = 0; atMs < 200_000; atMs += 1_000) {
    expect(lag.note('other', atMs, atMs + 2)).toBe(0);
    late.push(lag.note('b', atMs < 10_000 ? atMs : atMs - HOUR_MS, atMs + 2));
  }
  expect([late[9], late[10], late[130]]).toEqual([0, HOUR_MS, 0]);
});

it('what is late for a while stays late, however quick the others are', () => {
  const lag = new CanaryLag();
  lag.note('b', 0, 2);
  for (let atMs = 1_000; atMs < 60_000; atMs += 1_000) {
    lag.note('other', atMs, atMs + 2);
    expect(lag.note('b', atMs, atMs + 2_002)).toBe(2_000);
  }
});
