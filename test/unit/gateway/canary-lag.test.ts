import { expect, it } from 'vitest';
import { CanaryLag } from '../../../src/gateway/core/canary-lag.ts';
import { aMessage } from '../broker/given.ts';

const HOUR_MS = 3_600_000;

const probe = (publisher: string, publishedAtMs: number, data: object = {}) =>
  aMessage(1, {
    source: { publisher, origin: 'main', hop: 0 },
    publishedAtMs,
    data: Buffer.from(JSON.stringify(data)),
  });

it.each([-HOUR_MS, 0, HOUR_MS])(
  'a probe by a clock that is %i ms off is as late as it took longer',
  (offMs) => {
    const lag = new CanaryLag();
    const late = (atMs: number, tookMs: number): number => lag.note(probe('b', atMs + offMs), atMs + tookMs);
    expect([late(0, 5), late(1_000, 3)]).toEqual([0, 0]);
    // It forgets 2 ms a second.
    expect(late(2_000, 3_003)).toBeCloseTo(3_000 - 2 * 4);
    expect(late(5_100, 111)).toBeCloseTo(100, -1);
  },
);

it('the clock of an older broker that is set back does not look late for long', () => {
  const lag = new CanaryLag();
  const late = (atMs: number, offMs: number): number => lag.note(probe('b', atMs + offMs), atMs + 2);
  expect([late(0, 0), late(1_000, -HOUR_MS), late(2_000, -HOUR_MS)]).toEqual([0, 0, 0]);
  expect(late(3_000, -HOUR_MS - 500)).toBeCloseTo(500, -1);
  for (let atMs = 4_000; atMs < 260_000; atMs += 1_000) late(atMs, -HOUR_MS - 500);
  expect(late(260_000, -HOUR_MS - 500)).toBe(0);
});

it('what is late for minutes stays late, however quick the others are', () => {
  const lag = new CanaryLag();
  lag.note(probe('b', 0), 2);
  const late: number[] = [];
  for (let atMs = 1_000; atMs <= 480_000; atMs += 1_000) {
    expect(lag.note(probe('other', atMs), atMs + 2)).toBe(0);
    late.push(lag.note(probe('b', atMs), atMs + 2_002));
  }
  expect(late[0]).toBeGreaterThan(1_990);
  expect(late.at(-1)).toBeGreaterThan(1_000);
});

it('neither a clock that is set back a little nor a machine that was suspended looks late', () => {
  const lag = new CanaryLag();
  const late = (atMs: number, wallMs: number, steadyMs: number): number =>
    lag.note(probe('b', wallMs, { steadyMs }), atMs);
  expect([late(2, 0, 0), late(1_002, 500, 1_000), late(2_002, 1_500, 2_000)]).toEqual([0, 0, 0]);
  // Suspended for an hour: its steady clock did not go on.
  expect(late(HOUR_MS + 2_002, HOUR_MS + 1_500, 2_000)).toBe(0);
  expect(late(HOUR_MS + 4_002, HOUR_MS + 2_500, 3_000)).toBeCloseTo(1_000, -1);
});
