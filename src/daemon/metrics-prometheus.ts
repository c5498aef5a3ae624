// The Prometheus door: the same numbers in the text exposition format, read when scraped. Its library is loaded
// with the first scrape, a sixth of all files a daemon would otherwise read before it can answer.

import type { Counter, Gauge } from 'prom-client';
import { nextTurn } from './clock.ts';
import { METRICS } from './metrics-catalogue.ts';
import type { MetricName } from './metrics-catalogue.ts';
import type { Metrics } from './metrics.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Series written in one turn of the event loop. */
const SERIES_PER_TURN = 250;

/** The name Prometheus knows a metric by. */
export function prometheusName(name: MetricName): string {
  const base = name.replaceAll('.', '_');
  const prefixed = base.startsWith('herald_') ? base : `herald_${base}`;
  switch (METRICS[name].kind) {
    case 'counter':
      return `${prefixed}_total`;
    case 'timing':
      return `${prefixed}_ms`;
    case 'gauge':
      return prefixed;
  }
}

export async function renderPrometheus(metrics: Metrics): Promise<string> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const counters = new Map<MetricName, Counter>();
  let series = 0;
  for (const { name, tags, total } of metrics.counters()) {
    if (++series % SERIES_PER_TURN === 0) await nextTurn();
    const one = counters.get(name) ?? new Counter({ ...described(name), registers: [registry] });
    counters.set(name, one);
    one.inc({ ...tags }, total);
  }
  const gauges = new Map<MetricName, Gauge>();
  for (const { name, tags, value } of metrics.gauges()) {
    if (++series % SERIES_PER_TURN === 0) await nextTurn();
    const one = gauges.get(name) ?? new Gauge({ ...described(name), registers: [registry] });
    gauges.set(name, one);
    one.set({ ...tags }, value);
  }
  const texts: string[] = [];
  for (const name of [...counters.keys(), ...gauges.keys()]) {
    texts.push(await registry.getSingleMetricAsString(prometheusName(name)));
    await nextTurn();
  }
  return `${texts.join('\n\n')}\n`;
}

function described(name: MetricName): { name: string; help: string; labelNames: string[] } {
  const { meaning, unit, tags } = METRICS[name];
  return { name: prometheusName(name), help: `${meaning} (${unit})`, labelNames: [...tags, 'overflow'] };
}
