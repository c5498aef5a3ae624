// What one gateway says of itself without bound must not decide for the fleet.

import { describe, expect, it } from 'vitest';
import { breakerOf, turnedAway } from './black-hole.ts';
import { aBalancer, aLookup, aReport, HERALD, named } from './given.ts';

describe('one gateway that claims too much', () => {
  /** Eight gateways, one of which claims `claim` and is empty. */
  const decisions = (claim: number) => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 500) {
      for (let i = 0; i < 8; i++) {
        const busy = { seq: 1 + nowMs, cpu: 0.8 - i / 50, connections: 2_000 };
        const fields = i === 7 ? { ...busy, cpu: 0.05, connections: 10, capacity: claim } : busy;
        balancer.report(aReport(`gw-${i}`, fields), nowMs);
      }
      balancer.tick(nowMs);
    }
    const ofKeys = Array.from({ length: 50 }, (_, i) =>
      named(balancer.lookup(aLookup({ key: `user-${i}` }), 60_000)),
    );
    const advice = balancer.autoscale(60_000, 'default');
    return { advice, orders: balancer.moverOrders(), ofKeys };
  };

  it('counts for 16 times the median in what is moved, advised and compared', () => {
    const bounded = decisions(16);
    expect(bounded.advice.loadAvg).toBeGreaterThan(0.2);
    expect(bounded.orders.length).toBeGreaterThan(0);
    expect(decisions(1e9)).toEqual(bounded);
  });

  it('counts for so little from the next tick on where keys look among those of a label alone', () => {
    const balancer = aBalancer();
    const labels = { disk: 'ssd' };
    const shareOfHuge = (keys: number, nowMs: number): number => {
      const lookups = Array.from({ length: keys }, (_, i) => aLookup({ key: `user-${i}`, labels }));
      return lookups.filter((request) => named(balancer.lookup(request, nowMs)) === 'huge').length / keys;
    };
    balancer.report(aReport('huge', { labels, capacity: 1_000 }), 0);
    balancer.report(aReport('large', { labels, capacity: 16 }), 0);
    for (let i = 0; i < 5; i++) balancer.report(aReport(`gw-${i}`), 0);
    expect(shareOfHuge(20, 0)).toBeGreaterThan(0.8);
    balancer.tick(100);
    expect(shareOfHuge(500, 100)).toBeCloseTo(0.5, 1);
  });

  it.each([1, 2])('changes not what a ticket stands for by Heralds it makes up, nor do two: %d', (liars) => {
    const factors = (madeUp: number) => {
      const balancer = aBalancer();
      for (let nowMs = 0; nowMs <= 5_000; nowMs += 500) {
        for (let i = 0; i < 8; i++) {
          const named = [
            HERALD,
            'h2',
            ...Array.from({ length: i < liars ? madeUp : 0 }, (_, n) => `made-up-${n}`),
          ];
          const tickets = Object.fromEntries(named.map((id) => [id, { admitted: nowMs / 10 }]));
          balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, tickets }), nowMs);
        }
        balancer.tick(nowMs);
      }
      return balancer.explain(balancer.lookup(aLookup(), 5_000).lookupId, 5_000)!.factors;
    };
    expect(factors(0).pending).toBeGreaterThan(1.5);
    expect(factors(60)).toEqual(factors(0));
  });

  it('cannot make others look as if they let nobody in, by clients that it never had', () => {
    const balancer = aBalancer();
    const ids = ['quiet', 'b', 'c', 'd'];
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) {
      for (const gateway of ids) {
        const admitted = gateway === 'b' && nowMs >= 500 ? 1e9 : 0;
        const fields = { cpu: gateway === 'quiet' ? 0.4 : 0.5, tickets: { [HERALD]: { admitted } } };
        balancer.report(aReport(gateway, { seq: 1 + nowMs, ...fields }), nowMs);
      }
      balancer.tick(nowMs);
    }
    for (let i = 0; i < 20; i++) turnedAway(balancer, 10_000);
    expect(breakerOf(balancer, 'quiet', 10_000)).toBe('closed');
  });
});
