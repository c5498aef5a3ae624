import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { asJson, DASHBOARDS } from '../../../grafana/generate.mjs';

const GRAFANA = resolve(import.meta.dirname, '../../../grafana');

describe('the dashboards', () => {
  it('are what grafana/source makes of them, and no more', () => {
    expect(readdirSync(`${GRAFANA}/dashboards`).sort()).toEqual(
      DASHBOARDS.map(({ uid }) => `${uid}.json`).sort(),
    );
  });

  it.each(DASHBOARDS.map((dashboard) => ({ dashboard, uid: dashboard.uid })))(
    '$uid is as generated',
    ({ dashboard, uid }) => {
      expect(readFileSync(`${GRAFANA}/dashboards/${uid}.json`, 'utf8')).toBe(asJson(dashboard));
    },
  );

  it.each(DASHBOARDS.map((dashboard) => ({ dashboard, uid: dashboard.uid })))(
    '$uid has panels that do not overlap and fit the 24 columns',
    ({ dashboard }) => {
      const taken = new Set<string>();
      for (const { gridPos, title } of dashboard.panels) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x},${y}`), `${title} at ${x},${y}`).toBe(false);
            taken.add(`${x},${y}`);
          }
        }
      }
    },
  );
});

/** What Grafana makes of a variable of which two values are chosen: a glob, with `:regex` an alternative. */
const withTwo = (query: string): string =>
  query.replace(/\$\{\w+:regex\}/g, '(one|two)').replace(/\$\w+/g, '{one,two}');

const graphiteTargets = DASHBOARDS.flatMap(({ uid, panels }) =>
  panels.flatMap(({ title, targets = [] }) =>
    targets.flatMap(({ target }) => (target === undefined ? [] : [{ name: `${uid}: ${title}`, target }])),
  ),
);

it.each(graphiteTargets)('$name shows each of two that are chosen, and no other', ({ target }) => {
  const filters = [...withTwo(target).matchAll(/'(?:gateway|broker|bridge|id)=~([^']+)'/g)].map(
    ([, one]) => one!,
  );
  expect(filters.length).toBeGreaterThan(0);
  for (const filter of filters) {
    const pattern = new RegExp(filter);
    expect(['one', 'two', 'three'].map((value) => pattern.test(value))).toEqual([true, true, false]);
  }
});

describe('the provisioning', () => {
  it.each(['datasources', 'dashboards'])('of %s is of version 1', (kind) => {
    expect(parse(readFileSync(`${GRAFANA}/provisioning/${kind}/herald.yaml`, 'utf8'))).toMatchObject({
      apiVersion: 1,
    });
  });

  it('has a data source of each type that a dashboard asks for', () => {
    const { datasources } = parse(
      readFileSync(`${GRAFANA}/provisioning/datasources/herald.yaml`, 'utf8'),
    ) as {
      datasources: { type: string }[];
    };
    const asked = DASHBOARDS.flatMap(({ templating }) =>
      templating.list.flatMap(({ type, query }) => (type === 'datasource' ? [query] : [])),
    );
    expect([...new Set(asked)].sort()).toEqual(datasources.map(({ type }) => type).sort());
  });
});
