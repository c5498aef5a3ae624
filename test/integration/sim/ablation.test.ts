// Each term of the expected load is there for a reason. Handshakes, the observer and the floor are judged by a
// storm on the fleet of the targets table; smaller ones are ruled by where a few heavy connections happen to
// lie. Young and pending stand in for one another and for handshakes there, so they are judged by one lookup.

import { describe, expect, it } from 'vitest';
import type { LeftOut } from '../../../src/herald/core/balancer-options.ts';
import { runSimulation } from '../../../src/sim/index.ts';
import { aBalancer, aLookup, aReport, shares } from '../../unit/herald-core/given.ts';

describe('in a flash crowd', () => {
  const p99 = (leftOut: LeftOut): number =>
    runSimulation({ policy: 'expected', scenario: 'flash', seed: 1, leftOut }).p99MaxMean;

  it('stays even with the whole formula', { timeout: 60_000 }, () => {
    expect(p99({})).toBeLessThan(1.06);
  });

  it.each(['handshake', 'observer'] as const)('herds without the term %s', { timeout: 60_000 }, (term) => {
    expect(p99({ [term]: true })).toBeGreaterThan(1.12);
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

it('gives a liar everything without the floor', () => {
  const p50 = (leftOut: LeftOut): number =>
    runSimulation({
      policy: 'expected',
      scenario: 'liar',
      seed: 1,
      gateways: 10,
      clientsPerGateway: 1_000,
      reportMs: 500,
      leftOut,
    }).p50MaxMean;
  expect(p50({})).toBeLessThan(1.15);
  expect(p50({ floor: true })).toBeGreaterThan(2);
});
