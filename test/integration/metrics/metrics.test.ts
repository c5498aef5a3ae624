// Nothing on a dashboard may be empty, and nothing in the catalogue may be a promise: every panel's query and
// every metric is asked of a real receiver that the running platform feeds.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricName } from '../../../src/daemon/metrics-catalogue.ts';
import { METRICS } from '../../../src/daemon/metrics-catalogue.ts';
import { prometheusName } from '../../../src/daemon/metrics-prometheus.ts';
import { HAS_OPENSSL } from '../../launch/certificate.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import type { Platform } from './running-platform.ts';
import { launchPlatform } from './running-platform.ts';

const FOLDER = resolve(import.meta.dirname, '../../../grafana/dashboards');
/** Orders to move are given after three rounds of ten seconds. */
const DEADLINE_MS = 90_000;

interface Panel {
  type: string;
  title: string;
  targets?: { expr?: string; target?: string }[];
}
interface Dashboard {
  uid: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string | { query: string } }[] };
}

const dashboards = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Dashboard,
);
const targets = dashboards.flatMap(({ uid, panels }) =>
  panels
    .filter(({ type }) => type !== 'row')
    .flatMap(({ title, targets: ofPanel = [] }) =>
      ofPanel.map((target, index) => ({ name: `${uid}: ${title} [${index}]`, ...target })),
    ),
);
const variables = dashboards.flatMap(({ uid, templating }) =>
  templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => ({
      name: `${uid}: $${name}`,
      query: typeof query === 'string' ? query : query.query,
    })),
);
/** What Grafana puts in for its variables when "All" is chosen. */
const filledIn = (text: string): string =>
  text.replaceAll('$__rate_interval', '10s').replace(/\$(\w+|\{\w+:regex\})/g, '.*');

const canRun =
  HAS_OPENSSL && requireServer('prometheus') && requireServer('graphite') && requireServer('zookeeper');

describe.runIf(canRun)('fed by the running platform', () => {
  let platform: Platform;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    platform = await launchPlatform();
    stop = platform.stop;
  }, 120_000);
  afterAll(() => stop?.(), 30_000);

  const prometheusValues = async (expression: string): Promise<number[]> =>
    (await platform.prometheus.query(expression))
      .map(({ value }) => Number(value[1]))
      .filter(Number.isFinite);
  const graphiteValues = async (target: string): Promise<number[]> =>
    (await platform.graphite.render(target)).flatMap(({ datapoints }) =>
      datapoints.flatMap(([value]) => (value === null ? [] : [value])),
    );

  it.each(targets)(
    '$name shows something',
    async ({ name, expr, target }) => {
      const values = await until(
        `a value for ${name}: ${expr ?? target ?? 'no query'}`,
        async () => {
          const found =
            expr === undefined
              ? await graphiteValues(filledIn(target!))
              : await prometheusValues(filledIn(expr));
          return found.length > 0 ? found : undefined;
        },
        DEADLINE_MS,
        500,
      );
      expect(values.every((value) => value >= 0)).toBe(true);
    },
    DEADLINE_MS + 5_000,
  );

  it.each(variables)(
    '$name can be chosen from',
    async ({ query }) => {
      await until(
        `values of ${query}`,
        async () => {
          const prometheus = /^label_values\((\w+), (\w+)\)$/.exec(query);
          if (prometheus)
            return (
              (await platform.prometheus.query(`count by (${prometheus[2]}) (${prometheus[1]})`)).length > 0
            );
          const [, tag, expression] = /^tag_values\((\w+), (.+)\)$/.exec(query) ?? [];
          const asked = new URLSearchParams({ tag: tag ?? '', expr: expression ?? '' });
          return (
            ((await graphiteJson(`/tags/autoComplete/values?${asked.toString()}`)) as unknown[]).length > 0
          );
        },
        DEADLINE_MS,
        500,
      );
    },
    DEADLINE_MS + 5_000,
  );

  const graphiteJson = async (path: string): Promise<unknown> => {
    const reply = await request(`${platform.graphite.url}${path}`);
    return reply.body.json();
  };
  const graphiteNames = async (): Promise<Set<string>> => {
    const asked = new URLSearchParams({ tag: 'name', limit: '1000' });
    return new Set((await graphiteJson(`/tags/autoComplete/values?${asked.toString()}`)) as string[]);
  };
  const names = Object.keys(METRICS) as MetricName[];
  const statsdName = (name: MetricName): string =>
    METRICS[name].kind === 'counter' ? `stats.counters.${name}.rate` : `stats.gauges.${name}`;

  it.each(names.map((name) => ({ name })))(
    '$name reaches StatsD',
    async ({ name }) => {
      await until(
        `${name} in Graphite`,
        async () => (await graphiteNames()).has(statsdName(name)),
        DEADLINE_MS,
        500,
      );
    },
    DEADLINE_MS + 5_000,
  );

  it.each(names.filter((name) => name.startsWith('herald.')).map((name) => ({ name })))(
    '$name is on the admin port with the labels of the catalogue',
    async ({ name }) => {
      const series = await until(
        `${name} in Prometheus`,
        async () => {
          const found = await platform.prometheus.query(prometheusName(name));
          return found.length > 0 ? found : undefined;
        },
        DEADLINE_MS,
        500,
      );
      for (const { metric } of series) {
        const labels = Object.keys(metric).filter(
          (label) => !['__name__', 'instance', 'job'].includes(label),
        );
        expect(labels.sort()).toEqual([...METRICS[name].tags].sort());
      }
    },
    DEADLINE_MS + 5_000,
  );

  it('and nothing is sent that the catalogue does not name', async () => {
    const known = new Set(
      names.flatMap((name) => [statsdName(name), statsdName(name).replace(/\.rate$/, '.count')]),
    );
    const sent = [...(await graphiteNames())].filter((name) =>
      /^stats\.(counters|gauges|timers|sets)\.(?!statsd\.)/.test(name),
    );
    expect(sent.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the dashboards', () => {
  it('are of the classic schema', () => {
    expect(dashboards.map(({ schemaVersion }) => schemaVersion)).toEqual(dashboards.map(() => 42));
  });

  it('show every metric of the catalogue somewhere', () => {
    const queries = targets.map(({ expr, target }) => expr ?? target ?? '');
    const shown = (name: MetricName): boolean =>
      queries.some((query) => query.includes(prometheusName(name)) || query.includes(`.${name}`));
    expect((Object.keys(METRICS) as MetricName[]).filter((name) => !shown(name))).toEqual([]);
  });
});
