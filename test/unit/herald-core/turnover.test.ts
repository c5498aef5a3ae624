import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import { replacing } from '../../../src/herald/core/turnover.ts';
import { aBalancer, aReport, lacking } from './given.ts';

const COST = 0.5 / 3_000;

/** What young connections add to the expected load, in connections of the gateway's own cost. */
function youngOf(balancer: Balancer, nowMs: number): number {
  const { expectedScore, correctedScore, costPerConnection } = balancer.gateway('a', nowMs)!;
  return (expectedScore - correctedScore) / costPerConnection;
}

/**
 * A gateway to which 20 clients come each second, of whom `leave` go; 120 of its connections are young. At
 * second 60 `lost` go at once.
 */
function run(
  balancer: Balancer,
  leave: number,
  seconds: number,
  fields: Partial<LoadReport> = {},
  lost = 0,
): void {
  for (let sec = 0; sec <= seconds; sec++) {
    const connections = 3_000 + (20 - leave) * sec - (sec >= 60 ? lost : 0);
    const counts = { connections, youngConnections: 120, acceptedTotal: 20 * sec };
    const said = { seq: 1 + sec, periodMs: 1_000, cpu: COST * (connections - 120), ...counts, ...fields };
    balancer.report(aReport('a', said), sec * 1_000);
    balancer.tick(sec * 1_000);
  }
}

describe('young connections that take the place of others', () => {
  it.each([
    ['as many leave as come', 20, 0, 5],
    ['half as many leave as come', 10, 55, 65],
    ['nobody leaves', 0, 115, 121],
  ])('are not load to come: %s', (_, leave, least, most) => {
    const balancer = aBalancer();
    run(balancer, leave, 120);
    expect(youngOf(balancer, 120_000)).toBeGreaterThan(least - 0.1);
    expect(youngOf(balancer, 120_000)).toBeLessThan(most);
  });

  it('are at most the usual ones, however many leave', () => {
    expect(replacing({ came: 10, left: 20, young: 100 })).toBe(100);
    expect(replacing({ came: 0, left: 20, young: 100 })).toBe(0);
  });

  it('are known after half a minute', () => {
    const balancer = aBalancer();
    run(balancer, 20, 5);
    expect(youngOf(balancer, 5_000)).toBeGreaterThan(90);
    const later = aBalancer();
    run(later, 20, 30);
    expect(youngOf(later, 30_000)).toBeLessThan(60);
  });

  it('are not made of a crowd that left at once: it may come back', () => {
    const balancer = aBalancer();
    run(balancer, 0, 60, {}, 2_000);
    const connections = 3_000 + 20 * 60 - 2_000;
    const back = {
      connections: connections + 2_000,
      youngConnections: 2_000,
      acceptedTotal: 20 * 60 + 2_000,
    };
    balancer.report(aReport('a', { seq: 1_000, kind: 'counters', periodMs: 1_000, ...back }), 60_500);
    expect(youngOf(balancer, 60_500)).toBeGreaterThan(1_800);
  });

  it('are unknown where accepts are not counted, and forgotten with the boot', () => {
    const balancer = aBalancer();
    for (let sec = 0; sec <= 60; sec++) {
      const said = { seq: 1 + sec, periodMs: 1_000, cpu: 0.48, connections: 3_000, youngConnections: 120 };
      balancer.report(lacking(aReport('a', said), 'acceptedTotal'), sec * 1_000);
    }
    expect(youngOf(balancer, 60_000)).toBeGreaterThan(115);

    const restarted = aBalancer();
    run(restarted, 20, 120);
    const again = { bootId: 'boot-2', cpu: 0.48, connections: 3_000, youngConnections: 120 };
    restarted.report(aReport('a', again), 121_000);
    expect(youngOf(restarted, 121_000)).toBeGreaterThan(115);
  });
});
