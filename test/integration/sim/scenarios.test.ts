// Every scenario once with a tiny fleet: the books of the simulated world stay right through all incidents.

import { describe, expect, it } from 'vitest';
import { runSimulation, SCENARIOS } from '../../../src/sim/index.ts';

const TINY = { policy: 'expected', seed: 7, gateways: 8, clientsPerGateway: 200, reportMs: 500 } as const;

describe('the simulated world', () => {
  it.each(Object.values(SCENARIOS))('plays $name: $title', ({ name, warmSec, measureSec }) => {
    const result = runSimulation({ ...TINY, scenario: name });
    expect(result.simulatedSec).toBe(warmSec + measureSec);
    expect(result.series.loads.length).toBe(result.series.width * (warmSec + measureSec));
    expect(Number.isFinite(result.p99MaxMean)).toBe(true);
    for (const load of result.series.loads) expect(load).not.toBeLessThan(0);
  });

  it.each(Object.values(SCENARIOS))('plays $name with two gateways only', ({ name }) => {
    const result = runSimulation({ ...TINY, clientsPerGateway: 20, gateways: 2, scenario: name });
    expect(result.lookups).toBeGreaterThan(0);
  });

  it('keeps the total load when connections move', () => {
    const moved = runSimulation({ ...TINY, scenario: 'neighbour', gateways: 10, clientsPerGateway: 1_000 });
    expect(moved.moves).toBeGreaterThan(0);
    const { loads, width } = moved.series;
    const meanOf = (sec: number): number =>
      loads.subarray(sec * width, (sec + 1) * width).reduce((sum, load) => sum + load, 0) / width;
    // 40 % of one of ten gateways was taken away; everything else is as it was.
    expect(meanOf(900)).toBeGreaterThan(meanOf(50) - 0.03);
    expect(meanOf(900)).toBeLessThan(meanOf(50) + 0.08);
  });
});
