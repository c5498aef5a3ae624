import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aLookup, aReport, HERALD, lacking, named } from './given.ts';

const row = (balancer: Balancer, gateway: string, nowMs = 0) =>
  balancer.snapshot(nowMs).gateways.find((each) => each.gateway === gateway)!;

describe('a report', () => {
  it('is taken once: a replay and an older one are refused', () => {
    const balancer = aBalancer();
    expect(balancer.report(aReport('a', { seq: 5, cpu: 0.2 }), 0).taken).toBe(true);
    expect(balancer.report(aReport('a', { seq: 5, cpu: 0.9 }), 1)).toMatchObject({
      taken: false,
      why: 'old-seq',
    });
    expect(balancer.report(aReport('a', { seq: 4, cpu: 0.9 }), 2)).toMatchObject({
      taken: false,
      why: 'old-seq',
    });
    expect(row(balancer, 'a', 2).reportedScore).toBe(0.2);
  });

  it('of a new boot resets what was learnt; a late one of the old boot does not bring it back', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { bootId: 'one', seq: 900, cpu: 0.9 }), 0);
    balancer.lookup(aLookup(), 1);
    expect(row(balancer, 'a').inFlightTickets).toBe(1);
    expect(balancer.report(aReport('a', { bootId: 'two', seq: 1, cpu: 0, connections: 0 }), 10).taken).toBe(
      true,
    );
    expect(row(balancer, 'a', 10)).toMatchObject({ correctedScore: 0, inFlightTickets: 0, bootId: 'two' });
    const late = balancer.report(aReport('a', { bootId: 'one', seq: 901 }), 20);
    expect(late).toMatchObject({ taken: false, why: 'old-boot' });
  });

  it('of the old boot does not come back by another Herald either, which hears the old process still', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { bootId: 'one', seq: 900 }), 0);
    balancer.report(aReport('a', { bootId: 'two', seq: 1 }), 1_000);
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('a', { bootId: 'one', seq: 903 }), 2_000);
    balancer.mergeRows(other.rows(2_000), 2_000);
    expect(row(balancer, 'a', 2_000).bootId).toBe('two');
  });

  it('of a script without boot ids may start its numbers anew after a silence', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { bootId: '', seq: 50 }), 0);
    expect(balancer.report(aReport('a', { bootId: '', seq: 1 }), 1_000).taken).toBe(false);
    expect(balancer.report(aReport('a', { bootId: '', seq: 1 }), 5_000).taken).toBe(true);
  });

  it('of such a script is known by another Herald as well, from the moment when it may be named again', () => {
    const far = aBalancer();
    const near = aBalancer({ heraldId: 'h2' });
    for (const balancer of [far, near]) balancer.report(aReport('a', { bootId: '', seq: 50 }), 0);
    near.report(aReport('a', { bootId: '', seq: 1, cpu: 0.3 }), 2_500);
    far.mergeRows(near.rows(2_600), 2_600);
    expect(row(far, 'a', 2_600)).toMatchObject({ seq: 1, effectiveState: 'up', reportedScore: 0.3 });
  });

  it('of such a script before its restart does not come back by another Herald', () => {
    const near = aBalancer();
    const far = aBalancer({ heraldId: 'h2' });
    for (const balancer of [far, near]) balancer.report(aReport('a', { bootId: '', seq: 50 }), 0);
    far.report(aReport('a', { bootId: '', seq: 51 }), 400);
    near.report(aReport('a', { bootId: '', seq: 1 }), 2_500);
    near.mergeRows(far.rows(2_600), 2_600);
    expect(row(near, 'a', 2_600)).toMatchObject({ seq: 1, hearsay: false });
    expect(near.report(aReport('a', { bootId: '', seq: 2 }), 3_000).taken).toBe(true);
  });

  it('is refused with a URL that may not be handed out, and when the table is full', () => {
    const balancer = aBalancer({ maxGateways: 1, allowUrl: (url) => !url.includes('evil') });
    expect(balancer.report(aReport('evil'), 0)).toMatchObject({ taken: false, why: 'url-refused' });
    expect(balancer.report(aReport('a'), 0).taken).toBe(true);
    expect(balancer.report(aReport('b'), 0)).toMatchObject({ taken: false, why: 'table-full' });
  });

  it('with counters alone moves the score by the cost of the new connections', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.5, connections: 1_000 }), 0);
    const counters = lacking(aReport('a', { kind: 'counters', seq: 2, connections: 1_200 }), 'cpu');
    balancer.report(counters, 100);
    const after = row(balancer, 'a', 100);
    expect(after.correctedScore).toBeGreaterThan(0.55);
    expect(after.reportedScore).toBe(0.5);
  });

  it('follows a lasting surprise quickly and noise hardly', () => {
    const balancer = aBalancer();
    const at = (seq: number, cpu: number): number => {
      balancer.report(aReport('a', { seq, cpu }), seq * 500);
      return row(balancer, 'a', seq * 500).correctedScore;
    };
    for (let seq = 1; seq <= 40; seq++) at(seq, 0.5 + (seq % 2 ? 0.015 : -0.015));
    expect(Math.abs(at(41, 0.515) - 0.5)).toBeLessThan(0.01);
    expect(at(42, 0.8)).toBeGreaterThan(0.67);
    expect(at(43, 0.8)).toBeGreaterThan(0.74);
  });

  it('names its tickets as accepted, which ends their flight, and never below zero', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { tickets: { [HERALD]: { admitted: 100 } } }), 0);
    for (let i = 0; i < 5; i++) balancer.lookup(aLookup(), 10);
    expect(row(balancer, 'a', 10).inFlightTickets).toBe(5);
    balancer.report(aReport('a', { seq: 2, tickets: { [HERALD]: { admitted: 103 } } }), 500);
    expect(row(balancer, 'a', 500).inFlightTickets).toBe(2);
    balancer.report(aReport('a', { seq: 3, tickets: { [HERALD]: { admitted: 1_000_000 } } }), 600);
    expect(row(balancer, 'a', 600).inFlightTickets).toBe(0);
    balancer.report(aReport('a', { seq: 4, tickets: { [HERALD]: { admitted: 7 } } }), 700);
    balancer.lookup(aLookup(), 700);
    expect(row(balancer, 'a', 700).inFlightTickets).toBe(1);
  });

  it('lets tickets that nobody used run out after ten seconds', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a'), 0);
    balancer.tick(0);
    balancer.lookup(aLookup(), 0);
    for (let nowMs = 100; nowMs <= 9_800; nowMs += 100) balancer.tick(nowMs);
    expect(row(balancer, 'a').inFlightTickets).toBe(1);
    for (let nowMs = 9_900; nowMs <= 10_200; nowMs += 100) balancer.tick(nowMs);
    expect(row(balancer, 'a').inFlightTickets).toBe(0);
  });

  it('from a liar at 0 counts as what its connections should cost', () => {
    const balancer = aBalancer();
    for (let seq = 1; seq <= 30; seq++) {
      for (const id of ['a', 'b', 'c', 'liar']) {
        balancer.report(aReport(id, { seq, connections: 3_000, cpu: id === 'liar' ? 0 : 0.6 }), seq * 500);
      }
      balancer.tick(seq * 500);
    }
    const liar = row(balancer, 'liar', 15_000);
    expect(liar.reportedScore).toBe(0);
    expect(liar.expectedScore).toBeGreaterThan(0.5);
    // In a rush it sends counters alone between its full reports.
    const counters = aReport('liar', { kind: 'counters', seq: 31, connections: 3_030 });
    balancer.report(lacking(counters, 'cpu'), 15_100);
    expect(row(balancer, 'liar', 15_100).expectedScore).toBeGreaterThanOrEqual(liar.expectedScore);
  });
});

describe('a gateway that a shell script reports for', () => {
  it('needs no counters at all', () => {
    const balancer = aBalancer();
    for (let seq = 1; seq <= 60; seq++) {
      const bare = lacking(
        aReport('sh', { bootId: '', seq }),
        'connections',
        'acceptedTotal',
        'youngConnections',
      );
      balancer.report(bare, seq * 500);
      expect(named(balancer.lookup(aLookup(), seq * 500))).toBe('sh');
      balancer.tick(seq * 500);
    }
    expect(row(balancer, 'sh', 30_000)).toMatchObject({ breaker: 'closed' });
    expect(row(balancer, 'sh', 30_000).inFlightTickets).toBeLessThanOrEqual(21);
  });
});
