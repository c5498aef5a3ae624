// What a process counts. Hot paths add to plain numbers held here; once a second the StatsD door sends the
// differences, and the Prometheus door reads the totals when scraped. Nothing is sent per message: one
// hot-shots call a message costs 13 us and loses 93 % of the datagrams (docs/adr/0005).

import type { MetricDefinition, MetricName } from './metrics-catalogue.ts';
import { METRICS } from './metrics-catalogue.ts';

export type Tags = Readonly<Record<string, string>>;

export interface Counter {
  add(count: number): void;
}

export interface Gauge {
  set(value: number): void;
}

/** Durations in ms; exported as p50, p99 and max of the last flush window. */
export interface Timing {
  observe(durationMs: number): void;
}

export interface CounterSample {
  name: MetricName;
  tags: Tags;
  total: number;
}

export interface GaugeSample {
  name: MetricName;
  tags: Tags;
  value: number;
}

export interface Metrics {
  counter(name: MetricName, tags?: Tags): Counter;
  gauge(name: MetricName, tags?: Tags): Gauge;
  timing(name: MetricName, tags?: Tags): Timing;
  /** Forgets a series whose subject is gone (a gateway that expired), so that tags do not pile up. */
  forget(name: MetricName, tags: Tags): void;
  counters(): CounterSample[];
  gauges(): GaugeSample[];
  /** Ends the timing window: computes its quantiles and starts the next one. Called once a second. */
  roll(): void;
}

/**
 * Series a metric may have. All further tags share one series tagged `overflow=true`: the sum of their counts, the
 * highest of their values, the quantiles of all their durations.
 */
export const MAX_SERIES_PER_METRIC = 2_000;
const OVERFLOW: Tags = { overflow: 'true' };
const WINDOW_SAMPLES = 1_024;

interface Series {
  name: MetricName;
  tags: Tags;
  value: number;
  /** Only for the overflow series of a gauge: the values it stands for, by their tags. */
  shared?: Map<string, number>;
  window?: TimingWindow;
}

interface TimingWindow {
  samples: Float64Array;
  seen: number;
  max: number;
  p50: number;
  p99: number;
  lastMax: number;
}

export function createMetrics(): Metrics {
  const series = new Map<MetricName, Map<string, Series>>();

  const find = (name: MetricName, kind: MetricDefinition['kind'], tags: Tags): Series => {
    if (METRICS[name].kind !== kind)
      throw new Error(`metric ${name} is a ${METRICS[name].kind}, not a ${kind}`);
    const ofName = series.get(name) ?? new Map<string, Series>();
    series.set(name, ofName);
    const key = seriesKey(tags);
    const found = ofName.get(key);
    if (found) return found;
    const isShared = 'overflow' in tags;
    if (ofName.size >= MAX_SERIES_PER_METRIC && !isShared) return find(name, kind, OVERFLOW);
    const created: Series = {
      name,
      tags,
      value: 0,
      ...(isShared && kind === 'gauge' && { shared: new Map() }),
    };
    ofName.set(key, created);
    return created;
  };
  const all = (kind: MetricDefinition['kind']): Series[] =>
    [...series].flatMap(([name, ofName]) => (METRICS[name].kind === kind ? [...ofName.values()] : []));

  return {
    counter(name, tags = {}) {
      const one = find(name, 'counter', tags);
      return { add: (count) => void (one.value += count) };
    },
    gauge(name, tags = {}) {
      const one = find(name, 'gauge', tags);
      const { shared } = one;
      if (!shared) return { set: (value) => void (one.value = value) };
      const key = seriesKey(tags);
      return { set: (value) => void shared.set(key, value) };
    },
    timing(name, tags = {}) {
      const one = find(name, 'timing', tags);
      const window = (one.window ??= newWindow());
      return { observe: (durationMs) => observe(window, durationMs) };
    },
    forget(name, tags) {
      const ofName = series.get(name);
      const key = seriesKey(tags);
      ofName?.delete(key);
      const overflowKey = seriesKey(OVERFLOW);
      const shared = ofName?.get(overflowKey)?.shared;
      if (shared?.delete(key) === true && shared.size === 0) ofName?.delete(overflowKey);
    },
    counters: () => all('counter').map(({ name, tags, value }) => ({ name, tags, total: value })),
    gauges: () => [
      ...all('gauge').map(({ name, tags, value, shared }) => ({
        name,
        tags,
        value: shared ? highest(shared) : value,
      })),
      ...all('timing').flatMap(({ name, tags, window }) =>
        window
          ? [
              { name, tags: { ...tags, stat: 'p50' }, value: window.p50 },
              { name, tags: { ...tags, stat: 'p99' }, value: window.p99 },
              { name, tags: { ...tags, stat: 'max' }, value: window.lastMax },
            ]
          : [],
      ),
    ],
    roll() {
      for (const { window } of all('timing')) if (window) rollWindow(window);
    },
  };
}

function seriesKey(tags: Tags): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

function highest(values: ReadonlyMap<string, number>): number {
  let most = -Infinity;
  for (const value of values.values()) most = Math.max(most, value);
  return most;
}

function newWindow(): TimingWindow {
  return { samples: new Float64Array(WINDOW_SAMPLES), seen: 0, max: 0, p50: 0, p99: 0, lastMax: 0 };
}

function observe(window: TimingWindow, durationMs: number): void {
  // A full window overwrites its oldest samples: the quantiles then speak of the last 1,024.
  window.samples[window.seen % WINDOW_SAMPLES] = durationMs;
  window.seen += 1;
  if (durationMs > window.max) window.max = durationMs;
}

function rollWindow(window: TimingWindow): void {
  const sorted = window.samples.slice(0, Math.min(window.seen, WINDOW_SAMPLES)).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  window.p50 = at(0.5);
  window.p99 = at(0.99);
  window.lastMax = window.max;
  window.seen = 0;
  window.max = 0;
}
