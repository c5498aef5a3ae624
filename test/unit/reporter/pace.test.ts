import { describe, expect, it } from 'vitest';
import { createArrivals } from '../../../src/reporter/core/arrivals.ts';
import { createClockOffset } from '../../../src/reporter/clock-offset.ts';
import { createHeraldList, heraldBase } from '../../../src/reporter/core/herald-list.ts';
import { createOrderMemory } from '../../../src/reporter/core/order-memory.ts';
import type { PaceInput } from '../../../src/reporter/core/report-pace.ts';
import { createReportPace } from '../../../src/reporter/core/report-pace.ts';

const input = (nowMs: number, more: Partial<PaceInput> = {}): PaceInput => ({
  nowMs,
  load: 0.3,
  accepted: 0,
  connections: 100,
  capacity: 1,
  ...more,
});

describe('report pace', () => {
  it('reports each period, give or take a tenth', () => {
    for (const [random, dueMs] of [
      [0, 450],
      [0.5, 500],
      [0.999, 549.9],
    ] as const) {
      const pace = createReportPace(500, () => random);
      expect(pace.due(input(0))).toBe('full');
      expect(pace.due(input(dueMs - 1))).toBeUndefined();
      expect(pace.due(input(dueMs + 1))).toBe('full');
    }
  });

  it('tells a large change at once, but not within 100 ms of the last report', () => {
    const pace = createReportPace(10_000, () => 0.5);
    pace.due(input(0));
    expect(pace.due(input(99, { load: 0.9 }))).toBeUndefined();
    expect(pace.due(input(100, { load: 0.9 }))).toBe('full');
    expect(pace.due(input(300, { load: 0.95 }))).toBeUndefined();
    expect(pace.due(input(300, { load: 0.75 }))).toBe('full');
  });

  it('tells a rush with counters alone once it adds up to half a point of load', () => {
    const pace = createReportPace(10_000, () => 0.5);
    pace.due(input(0));
    // Cost (0.3 + 0.05) / 150 = 0.0023: two connections are 0.0047, three are 0.007.
    expect(pace.due(input(200, { accepted: 2 }))).toBeUndefined();
    expect(pace.due(input(200, { accepted: 3 }))).toBe('counters');
    expect(pace.due(input(250, { accepted: 50 }))).toBeUndefined();
    expect(pace.due(input(300, { accepted: 50 }))).toBe('counters');
    expect(pace.due(input(400, { accepted: 50 }))).toBeUndefined();
  });

  it('takes a shorter period at once', () => {
    const pace = createReportPace(10_000, () => 0.5);
    pace.due(input(0));
    pace.setPeriodMs(200);
    expect(pace.due(input(200))).toBe('full');
  });
});

describe('Herald list', () => {
  it('keeps what was configured and adds what replies name', () => {
    const list = createHeraldList(['http://a:7401/']);
    expect(list.learn(['http://a:7401', 'http://b:7401', 'nonsense', 'file:///etc'], 0)).toBe(true);
    expect(list.learn(['http://b:7401//'], 1)).toBe(false);
    expect(list.bases()).toEqual(['http://a:7401', 'http://b:7401']);
  });

  it('forgets one that nobody has named for a minute, never a configured one', () => {
    const list = createHeraldList(['http://a:1']);
    list.learn(['http://b:1', 'http://c:1'], 0);
    list.learn(['http://b:1'], 50_000);
    expect(list.forget(60_000)).toBe(false);
    expect(list.forget(60_001)).toBe(true);
    expect(list.bases()).toEqual(['http://a:1', 'http://b:1']);
  });

  it('is bounded, whatever a reply says', () => {
    const list = createHeraldList(['http://a:1']);
    list.learn(
      Array.from({ length: 1_000 }, (_, i) => `http://h${i}:1`),
      0,
    );
    expect(list.bases()).toHaveLength(64);
  });

  it('takes a path, no credentials, no query and no other schemes', () => {
    expect(heraldBase('http://user:pw@a:1')).toBeUndefined();
    expect(heraldBase('ws://a:1')).toBeUndefined();
    expect(heraldBase('https://a/x?y')).toBeUndefined();
    expect(heraldBase('https://a/x/')).toBe('https://a/x');
  });
});

describe('order memory', () => {
  it('lets each order through once, and forgets the oldest of many', () => {
    const firstSight = createOrderMemory();
    const order = (orderId: string) => ({ ready: { orderId } });
    expect(firstSight(order('a'))).toBe(true);
    expect(firstSight(order('a'))).toBe(false);
    for (let i = 0; i < 300; i++) firstSight(order(`n${i}`));
    expect(firstSight(order('n299'))).toBe(false);
    expect(firstSight(order('a'))).toBe(true);
  });
});

describe('clock offset', () => {
  it('trusts the shortest round trip', () => {
    const offset = createClockOffset();
    expect(offset.offsetMs()).toBeUndefined();
    offset.observe(0, 100, 5_050);
    expect(offset.offsetMs()).toBe(5_000);
    offset.observe(1_000, 1_002, 6_003);
    expect(offset.offsetMs()).toBe(5_002);
    offset.observe(2_000, 2_100, 7_080);
    expect(offset.offsetMs()).toBe(5_002);
  });

  it('believes a restarted Herald at once', () => {
    const offset = createClockOffset();
    offset.observe(0, 2, 1_000_001);
    offset.observe(1_000, 1_100, 50);
    expect(offset.offsetMs()).toBe(-1_000);
  });

  it('lets an old estimate go', () => {
    const offset = createClockOffset();
    offset.observe(0, 2, 1_001);
    offset.observe(40_000, 40_004, 41_003);
    expect(offset.offsetMs()).toBe(1_001);
  });
});

describe('arrivals', () => {
  it('do not count connections from before the start as young', () => {
    const arrivals = createArrivals();
    arrivals.observe(5_000, 0);
    expect(arrivals.youngConnections(5_000, 0)).toBe(0);
    arrivals.observe(5_010, 100);
    expect(arrivals.youngConnections(5_010, 100)).toBeCloseTo(10);
    arrivals.observe(5_010, 6_100);
    expect(arrivals.youngConnections(5_010, 6_100)).toBeCloseTo(5, 0);
    arrivals.observe(5_010, 20_000);
    expect(arrivals.youngConnections(5_010, 20_000)).toBe(0);
  });

  it('are grown as soon as the signals hold them, where a connection costs its full load at once', () => {
    const arrivals = createArrivals(0);
    arrivals.observe(0, 0);
    arrivals.observe(10, 100);
    expect(arrivals.youngConnections(10, 1_100)).toBeCloseTo(5, 0);
    expect(arrivals.youngConnections(10, 2_200)).toBe(0);
  });

  it('never weigh more than the open connections', () => {
    const arrivals = createArrivals();
    arrivals.observe(0, 0);
    arrivals.observe(100, 100);
    expect(arrivals.youngConnections(3, 100)).toBe(3);
  });
});
