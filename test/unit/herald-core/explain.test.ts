import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport } from './given.ts';

describe('an explanation', () => {
  it('shows each candidate with terms that add up, and the winner as the least of them', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 5; i++) {
      balancer.report(aReport(`gw-${i}`, { cpu: 0.2 + i / 10, connections: 1_000, youngConnections: 50 }), 0);
    }
    balancer.lookup(aLookup(), 100);
    const verdict = balancer.lookup(aLookup(), 200);
    if (!verdict.ok) throw new Error(verdict.detail);
    const why = balancer.explain(verdict.lookupId, 1_200)!;
    expect(why).toMatchObject({
      lookupId: verdict.lookupId,
      way: 'drawn',
      draws: 8,
      atMs: 200,
      ageMs: 1_000,
    });
    expect(why.candidates.length).toBe(8);
    for (const candidate of why.candidates) {
      const { terms } = candidate;
      const sum = Object.values(terms).reduce((total, term) => total + term, 0);
      expect(candidate.expected).toBeCloseTo(sum, 5);
      expect(candidate.compared).toBeCloseTo(candidate.expected, 5);
      expect(terms.young).toBeGreaterThan(0);
      expect(candidate.ageMs).toBeCloseTo(200, 1);
    }
    const winner = why.candidates.find((candidate) => candidate.won)!;
    expect(winner.gateway).toBe(verdict.best.gateway);
    expect(winner.expected).toBe(Math.min(...why.candidates.map((candidate) => candidate.expected)));
  });

  it('shows the winner also where more were compared than are kept', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 10; i++) {
      balancer.report(aReport(`near-${i}`, { zone: 'a', cpu: 0.8 }), 0);
      balancer.report(aReport(`far-${i}`, { zone: 'b', cpu: 0.2 }), 0);
    }
    // Eight of its zone are drawn first, eight of all after them.
    const verdict = balancer.lookup(aLookup({ zone: 'a' }), 100);
    if (!verdict.ok) throw new Error(verdict.detail);
    expect(verdict.best.gateway).toMatch(/^far-/);
    const { candidates } = balancer.explain(verdict.lookupId)!;
    expect(candidates.map(({ won }) => won)).toEqual([...Array<boolean>(7).fill(false), true]);
    expect(candidates.at(-1)).toMatchObject({ gateway: verdict.best.gateway, reported: expect.closeTo(0.2) });
    expect(candidates[0]!.gateway).toMatch(/^near-/);
  });

  it('also says why a lookup was refused', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.99 }), 0);
    const verdict = balancer.lookup(aLookup(), 0);
    expect(balancer.explain(verdict.lookupId)).toMatchObject({
      way: 'refused',
      candidates: [{ won: false }],
    });
  });

  it('says so of a lookup for which there was nobody to compare', () => {
    const balancer = aBalancer({ defaultPool: { lookupsPerSec: 1, lookupBurst: 2 } });
    const whyNot = (fields: object): unknown => {
      const verdict = balancer.lookup(aLookup(fields), 100);
      return !verdict.ok && balancer.explain(verdict.lookupId, 300);
    };
    expect(whyNot({})).toMatchObject({ way: 'no-gateways', ageMs: 200, candidates: [] });
    balancer.report(aReport('a'), 0);
    expect(whyNot({ exclude: ['a'] })).toMatchObject({ way: 'none-eligible', candidates: [] });
    balancer.lookup(aLookup(), 100);
    expect(whyNot({})).toMatchObject({ way: 'rate-limited', candidates: [] });
  });

  it('is kept for the last lookups only, and not made up for others', () => {
    const balancer = aBalancer({ explainLookups: 100 });
    balancer.report(aReport('a'), 0);
    const ids = Array.from({ length: 150 }, () => balancer.lookup(aLookup(), 0).lookupId);
    expect(balancer.explain(ids[49]!)).toBeUndefined();
    expect(balancer.explain(ids[50]!)).toMatchObject({ lookupId: ids[50] });
    expect(balancer.explain(ids[149]!)).toMatchObject({ lookupId: ids[149] });
    for (const id of ['', 'x', `${ids[0]!}zzz`, 'h1.0.1', '../../etc'])
      expect(balancer.explain(id)).toBeUndefined();
  });

  it('does not name a gateway that took over the slot of a forgotten one', () => {
    const balancer = aBalancer();
    balancer.report(aReport('old'), 0);
    const { lookupId } = balancer.lookup(aLookup(), 0);
    for (let nowMs = 0; nowMs <= 40_000; nowMs += 100) {
      if (nowMs % 500 === 0) balancer.report(aReport('other', { seq: 1 + nowMs }), nowMs);
      balancer.tick(nowMs);
    }
    balancer.report(aReport('new'), 40_000);
    expect(balancer.explain(lookupId)!.candidates[0]!.gateway).toBe('(forgotten)');
  });
});
