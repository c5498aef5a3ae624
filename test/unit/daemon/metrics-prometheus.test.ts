import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { METRICS } from '../../../src/daemon/metrics-catalogue.ts';
import type { MetricName } from '../../../src/daemon/metrics-catalogue.ts';
import { prometheusName, renderPrometheus } from '../../../src/daemon/metrics-prometheus.ts';

describe('the Prometheus name', () => {
  it.each([
    ['herald.lookups', 'herald_lookups_total'],
    ['herald.table.age', 'herald_table_age'],
    ['herald.lookup_duration', 'herald_lookup_duration_ms'],
    ['gateway.messages_delivered', 'herald_gateway_messages_delivered_total'],
    ['broker.ring_bytes', 'herald_broker_ring_bytes'],
  ] as const)('of %s is %s', (name, expected) => {
    expect(prometheusName(name)).toBe(expected);
  });

  it('is valid and belongs to one metric alone', () => {
    const names = (Object.keys(METRICS) as MetricName[]).map(prometheusName);
    for (const name of names) expect(name).toMatch(/^herald_[a-z0-9_]+$/);
    const clashes = names.filter((name, index) => names.indexOf(name) !== index);
    expect(clashes).toEqual([]);
  });
});

describe('the exposition', () => {
  it('gives totals, values and quantiles with their help', async () => {
    const metrics = createMetrics();
    metrics.counter('herald.lookups', { outcome: 'ok' }).add(41);
    metrics.gauge('herald.table.age').set(12.5);
    metrics.timing('herald.lookup_duration').observe(3);
    metrics.roll();
    const lines = (await renderPrometheus(metrics)).split('\n');
    expect(lines).toContain('# TYPE herald_lookups_total counter');
    expect(lines).toContain('# HELP herald_table_age age of the newest report in the table (ms)');
    expect(lines).toContain('herald_lookups_total{outcome="ok"} 41');
    expect(lines).toContain('herald_table_age 12.5');
    expect(lines).toContain('herald_lookup_duration_ms{stat="p99"} 3');
  });

  it('can be read twice without doubling a counter', async () => {
    const metrics = createMetrics();
    metrics.counter('herald.reports', { outcome: 'taken' }).add(1);
    expect(await renderPrometheus(metrics)).toBe(await renderPrometheus(metrics));
  });

  it('takes every metric of the catalogue with its tags', async () => {
    const metrics = createMetrics();
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const { kind, tags } = METRICS[name];
      const labels = Object.fromEntries(tags.filter((tag) => tag !== 'stat').map((tag) => [tag, 'x']));
      if (kind === 'counter') metrics.counter(name, labels).add(1);
      if (kind === 'gauge') metrics.gauge(name, labels).set(1);
      if (kind === 'timing') metrics.timing(name, labels).observe(1);
    }
    const exposition = await renderPrometheus(metrics);
    for (const name of Object.keys(METRICS) as MetricName[]) {
      expect(exposition).toMatch(new RegExp(`^${prometheusName(name)}(\\{| )`, 'm'));
    }
  });

  it('takes overflow series and odd tag values', async () => {
    const metrics = createMetrics();
    metrics.counter('herald.picks', { overflow: 'true' }).add(2);
    metrics.counter('herald.picks', { gateway: 'a"b\\c' }).add(1);
    const exposition = await renderPrometheus(metrics);
    expect(exposition).toContain('herald_picks_total{overflow="true"} 2');
    expect(exposition).toContain('herald_picks_total{gateway="a\\"b\\\\c"} 1');
  });
});
