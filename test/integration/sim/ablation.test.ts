// Each term of the expected load is there for a reason: a storm stays even with the whole formula and herds
// without the term. Handshakes and the observer are judged on the fleet of the targets table, where smaller
// ones are ruled by where a few heavy connections happen to lie. Handshakes spread a crowd by themselves, so
// young and pending are judged where a connect costs nothing. Everything is seeded.

import { describe, expect, it } from 'vitest';
import type { LeftOut } from '../../../src/herald/core/balancer-options.ts';
import type { ScenarioName } from '../../../src/sim/index.ts';
import { runSimulation } from '../../../src/sim/index.ts';
import { aBalancer, aLookup, aReport, shares } from '../../unit/herald-core/given.ts';

interface Storm {
  scenario: ScenarioName;
  fleet: { gateways: number; clientsPerGateway: number; reportMs: number };
  figure: 'p99MaxMean' | 'p50MaxMean';
  seeds: number[];
  /** With all terms. */
  atMost: number;
  /** Without the one. */
  atLeast: Partial<Record<keyof LeftOut, number>>;
}

const SMALL = { gateways: 10, clientsPerGateway: 1_000, reportMs: 2_000 };
const STORMS: Storm[] = [
  {
    scenario: 'outage',
    fleet: SMALL,
    figure: 'p99MaxMean',
    seeds: [1, 2, 3],
    atMost: 1.1,
    atLeast: { pending: 1.3 },
  },
  {
    scenario: 'newcomer',
    fleet: SMALL,
    figure: 'p99MaxMean',
    seeds: [1, 2, 3],
    atMost: 1.25,
    atLeast: { young: 1.6 },
  },
  {
    scenario: 'flash',
    fleet: { gateways: 20, clientsPerGateway: 3_250, reportMs: 2_000 },
    figure: 'p99MaxMean',
    seeds: [1],
    atMost: 1.06,
    atLeast: { handshake: 1.12, observer: 1.12 },
  },
  {
    scenario: 'liar',
    fleet: { gateways: 10, clientsPerGateway: 1_000, reportMs: 500 },
    figure: 'p50MaxMean',
    seeds: [1],
    atMost: 1.15,
    atLeast: { floor: 2 },
  },
];

describe.each(STORMS)('in the storm $scenario', ({ scenario, fleet, figure, seeds, atMost, atLeast }) => {
  /** How far a storm herds depends on who comes first, so the mean of its seeds is judged. */
  const meanWithout = (leftOut: LeftOut): number => {
    const runs = seeds.map((seed) =>
      runSimulation({ policy: 'expected', scenario, seed, ...fleet, leftOut }),
    );
    return runs.reduce((sum, result) => sum + result[figure], 0) / runs.length;
  };

  it('loads stay even with the whole formula', { timeout: 60_000 }, () => {
    expect(meanWithout({})).toBeLessThan(atMost);
  });

  const terms = Object.entries(atLeast) as [keyof LeftOut, number][];
  it.each(terms)('loads herd without the term %s: at least %f', { timeout: 60_000 }, (term, least) => {
    expect(meanWithout({ [term]: true })).toBeGreaterThan(least);
  });
});

describe('between two reports', () => {
  it.each([
    { leftOut: {}, others: 'some' },
    { leftOut: { pending: true }, others: 'none' },
  ])('clients spread by the tickets in flight alone: %j', ({ leftOut, others }) => {
    const balancer = aBalancer({ leftOut, defaultPool: { handshakeSeconds: 0 } });
    balancer.report(aReport('a', { cpu: 0.3 }), 0);
    balancer.report(aReport('b', { cpu: 0.31 }), 0);
    const named = shares(balancer, 400, 1);
    expect(named.get('b') ?? 0)[others === 'some' ? 'toBeGreaterThan' : 'toBeLessThan'](40);
  });

  it.each([
    { leftOut: {}, winner: 'b' },
    { leftOut: { young: true }, winner: 'a' },
  ])('whoever has many young connections is not named: %j', ({ leftOut, winner }) => {
    const balancer = aBalancer({ leftOut });
    balancer.report(aReport('a', { cpu: 0.3, connections: 1_000, youngConnections: 500 }), 0);
    balancer.report(aReport('b', { cpu: 0.31, connections: 1_000, youngConnections: 0 }), 0);
    const verdict = balancer.lookup(aLookup({ intent: 'move' }), 1);
    expect(verdict.ok && verdict.best.gateway).toBe(winner);
  });
});
