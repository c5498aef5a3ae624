import { describe, expect, it } from 'vitest';
import { renderChartSvg, renderResultsTable, runSimulation, SIM_POLICIES } from '../../../src/sim/index.ts';
import type { SimulationOptions, SimulationResult } from '../../../src/sim/index.ts';

const TINY: SimulationOptions = {
  policy: 'expected',
  scenario: 'flash',
  seed: 7,
  gateways: 6,
  clientsPerGateway: 200,
  reportMs: 500,
};

describe('a run', () => {
  it('gives the same result to the last bit for the same seed', () => {
    const [first, second] = [runSimulation(TINY), runSimulation(TINY)];
    expect(second.series.loads).toEqual(first.series.loads);
    expect({ ...second, series: null }).toEqual({ ...first, series: null });
  });

  it('gives another result for another seed', () => {
    expect(runSimulation({ ...TINY, seed: 8 }).p99MaxMean).not.toBe(runSimulation(TINY).p99MaxMean);
  });

  it.each(SIM_POLICIES)('places by policy %s and keeps its books', (policy) => {
    const result = runSimulation({ ...TINY, policy, scenario: 'death' });
    expect(result.lookups).toBeGreaterThan(500);
    expect(result.p99MaxMean).toBeGreaterThanOrEqual(1);
    expect(result.hottest).toBeGreaterThan(0.4);
    expect(result.meanWaitSec).toBeGreaterThan(0);
    for (const load of result.series.loads) expect(load).not.toBeLessThan(0);
  });

  it('tells how far it is', () => {
    const heard: number[] = [];
    runSimulation({ ...TINY, progress: (share) => heard.push(share) });
    expect(heard.length).toBeGreaterThan(10);
    expect(heard).toEqual(heard.toSorted((a, b) => a - b));
    expect(heard.at(-1)).toBeLessThanOrEqual(1);
  });
});

describe('the output', () => {
  const result = runSimulation(TINY);

  it('is a table with a line a run that fits a terminal', () => {
    const worst: SimulationResult = {
      ...result,
      scenario: 'neighbour',
      policy: 'round-robin',
      p99MaxMean: 14.94,
      hottest: 2.51,
      hotShare: 0.93,
      overloadSec: 1_234,
      settleSec: Infinity,
      movedShare: 0.014,
      refused: 123_456,
    };
    const lines = renderResultsTable([result, worst]).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^scenario +policy +p50 +p99/);
    expect(lines[3]).toBe('');
    expect(lines[1]).toContain('flash');
    expect(lines[2]).toMatch(/ 14\.9 +251% +93% +1234s +never +1\.4% +123456$/);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is a chart with a path a gateway and gaps where one was down', () => {
    const death = runSimulation({
      ...TINY,
      scenario: 'rolling',
      clientsPerGateway: 20,
      policy: 'round-robin',
    });
    const svg = renderChartSvg([{ title: 'a < b', series: death.series }], { title: 'loads' });
    expect(svg.startsWith('<svg ')).toBe(true);
    expect(svg).toContain('a &lt; b');
    const paths = [...svg.matchAll(/<path d="([^"]*)"/g)].map((match) => match[1]!);
    expect(paths).toHaveLength(6);
    for (const path of paths) {
      expect(path).not.toContain('NaN');
      expect(path.split('M').length - 1).toBe(2);
    }
  });

  it('shows only the time that was asked for', () => {
    const whole = renderChartSvg([{ title: 'x', series: result.series }]);
    const part = renderChartSvg([{ title: 'x', series: result.series }], { fromSec: 20, toSec: 60 });
    expect(part.length).toBeLessThan(whole.length / 2);
  });
});
