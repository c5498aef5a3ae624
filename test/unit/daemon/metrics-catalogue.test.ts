import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metricsTable, tableIn } from '../../../scripts/metrics-table.mjs';
import type { MetricName } from '../../../src/daemon/metrics-catalogue.ts';
import { hasHeraldIdInStatsd, METRICS } from '../../../src/daemon/metrics-catalogue.ts';
import { prometheusName } from '../../../src/daemon/metrics-prometheus.ts';

describe('the catalogue', () => {
  it('is the table of docs/metrics.md', () => {
    const document = readFileSync(resolve(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');
    expect(tableIn(document)).toBe(metricsTable(METRICS, { prometheusName, hasHeraldIdInStatsd }));
  });

  it.each(Object.keys(METRICS) as MetricName[])('names %s so that every receiver can keep it', (name) => {
    const { unit, tags, meaning } = METRICS[name];
    expect(name).toMatch(/^(herald|gateway|broker|bridge)(\.[a-z][a-z_]*)+$/);
    expect(unit).not.toBe('');
    expect(meaning).toMatch(/^[a-zA-Z]/);
    for (const tag of tags) expect(tag).toMatch(/^[a-z]+$/);
  });
});
