import { describe, expect, it } from 'vitest';
import { createMetrics, MAX_SERIES_PER_METRIC } from '../../../src/daemon/metrics.ts';

describe('a counter', () => {
  it('adds up, each set of tags for itself', () => {
    const metrics = createMetrics();
    metrics.counter('herald.lookups', { outcome: 'ok' }).add(2);
    metrics.counter('herald.lookups', { outcome: 'overloaded' }).add(1);
    metrics.counter('herald.lookups', { outcome: 'ok' }).add(3);
    expect(metrics.counters()).toEqual([
      { name: 'herald.lookups', tags: { outcome: 'ok' }, total: 5 },
      { name: 'herald.lookups', tags: { outcome: 'overloaded' }, total: 1 },
    ]);
  });

  it('is the same series whatever the order of its tags', () => {
    const metrics = createMetrics();
    metrics.counter('gateway.closed', { gateway: 'g', cause: 'moved' }).add(1);
    metrics.counter('gateway.closed', { cause: 'moved', gateway: 'g' }).add(1);
    expect(metrics.counters()).toHaveLength(1);
    expect(metrics.counters()[0]?.total).toBe(2);
  });

  it('cannot be had under the name of a gauge', () => {
    expect(() => createMetrics().counter('herald.table.age')).toThrow('herald.table.age is a gauge');
  });
});

describe('a gauge', () => {
  it('keeps the last value', () => {
    const metrics = createMetrics();
    const age = metrics.gauge('herald.table.age');
    age.set(100);
    age.set(40);
    expect(metrics.gauges()).toEqual([{ name: 'herald.table.age', tags: {}, value: 40 }]);
  });

  it('is gone once its subject is forgotten', () => {
    const metrics = createMetrics();
    metrics.gauge('herald.gateway.reported_connections', { gateway: 'a' }).set(1);
    metrics.gauge('herald.gateway.reported_connections', { gateway: 'b' }).set(2);
    metrics.forget('herald.gateway.reported_connections', { gateway: 'a' });
    expect(metrics.gauges().map(({ tags }) => tags)).toEqual([{ gateway: 'b' }]);
  });
});

describe('too many series', () => {
  it('share one that is tagged as overflow, and lose no count', () => {
    const metrics = createMetrics();
    const total = MAX_SERIES_PER_METRIC + 50;
    for (let i = 0; i < total; i++) metrics.counter('herald.picks', { gateway: `g${i}` }).add(1);
    const counters = metrics.counters();
    expect(counters).toHaveLength(MAX_SERIES_PER_METRIC + 1);
    expect(counters.at(-1)).toEqual({ name: 'herald.picks', tags: { overflow: 'true' }, total: 50 });
    expect(counters.reduce((sum, { total: one }) => sum + one, 0)).toBe(total);
  });

  it('of a gauge share the highest of their values, until the last of them is forgotten', () => {
    const metrics = createMetrics();
    const gauges = Array.from({ length: MAX_SERIES_PER_METRIC + 3 }, (_, i) =>
      metrics.gauge('herald.gateway.expected_score', { gateway: `g${i}` }),
    );
    gauges.forEach((gauge) => gauge.set(0.2));
    gauges.at(-3)!.set(0.9);
    const overflow = (): number | undefined =>
      metrics.gauges().find(({ tags }) => tags['overflow'] === 'true')?.value;
    expect(overflow()).toBe(0.9);
    const forget = (i: number): void =>
      metrics.forget('herald.gateway.expected_score', { gateway: `g${MAX_SERIES_PER_METRIC + i}` });
    forget(0);
    expect(overflow()).toBe(0.2);
    forget(1);
    forget(2);
    expect(overflow()).toBeUndefined();
  });

  it('of one metric do not touch another', () => {
    const metrics = createMetrics();
    for (let i = 0; i <= MAX_SERIES_PER_METRIC; i++)
      metrics.gauge('herald.gateways', { state: `${i}` }).set(1);
    metrics.counter('herald.reports', { outcome: 'taken' }).add(1);
    expect(metrics.counters()).toEqual([{ name: 'herald.reports', tags: { outcome: 'taken' }, total: 1 }]);
  });

  it('make room again when one is forgotten', () => {
    const metrics = createMetrics();
    for (let i = 0; i < MAX_SERIES_PER_METRIC; i++)
      metrics.gauge('herald.gateways', { state: `${i}` }).set(1);
    metrics.forget('herald.gateways', { state: '0' });
    metrics.gauge('herald.gateways', { state: 'fresh' }).set(1);
    expect(metrics.gauges().at(-1)?.tags).toEqual({ state: 'fresh' });
  });
});

describe('a timing', () => {
  const read = (metrics: ReturnType<typeof createMetrics>): Record<string, number> =>
    Object.fromEntries(metrics.gauges().map(({ tags, value }): [string, number] => [tags['stat']!, value]));

  it('shows the quantiles of the window that ended', () => {
    const metrics = createMetrics();
    const timing = metrics.timing('herald.lookup_duration');
    for (let ms = 1; ms <= 100; ms++) timing.observe(ms);
    expect(read(metrics)).toEqual({ p50: 0, p99: 0, max: 0 });
    metrics.roll();
    expect(read(metrics)).toEqual({ p50: 51, p99: 100, max: 100 });
  });

  it('starts each window empty', () => {
    const metrics = createMetrics();
    const timing = metrics.timing('herald.lookup_duration');
    timing.observe(500);
    metrics.roll();
    timing.observe(3);
    metrics.roll();
    expect(read(metrics)).toEqual({ p50: 3, p99: 3, max: 3 });
    metrics.roll();
    expect(read(metrics)).toEqual({ p50: 0, p99: 0, max: 0 });
  });

  it('keeps the highest of all and the quantiles of the last 1,024 when a window is crowded', () => {
    const metrics = createMetrics();
    const timing = metrics.timing('herald.lookup_duration');
    timing.observe(9_000);
    for (let i = 0; i < 5_000; i++) timing.observe(2);
    metrics.roll();
    expect(read(metrics)).toEqual({ p50: 2, p99: 2, max: 9_000 });
  });

  it('sorts as numbers, not as texts', () => {
    const metrics = createMetrics();
    const timing = metrics.timing('gateway.flush_duration', { gateway: 'g' });
    for (const ms of [9, 100, 20]) timing.observe(ms);
    metrics.roll();
    expect(read(metrics)).toEqual({ p50: 20, p99: 100, max: 100 });
  });
});
