import { describe, expect, it } from 'vitest';
import { breakerOf, turnedAway } from './black-hole.ts';
import { aBalancer, aLookup, aReport, lacking, named } from './given.ts';

describe('affinity', () => {
  // 200 connects at once are load of their own; here the keys alone are asked about.
  const fleet = (cpus: number[], nowMs = 0) => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    cpus.forEach((cpu, i) => balancer.report(aReport(`gw-${i}`, { cpu }), nowMs));
    return balancer;
  };

  it('keeps a key at its gateway, spreads keys, and moves only the keys of one that left', () => {
    const balancer = fleet(Array.from({ length: 10 }, () => 0.3));
    const owners = (): string[] =>
      Array.from({ length: 200 }, (_, i) => named(balancer.lookup(aLookup({ key: `user-${i}` }), 100 + i)));
    const before = owners();
    expect(new Set(before).size).toBe(10);
    balancer.setDesired('gw-3', { state: 'drain', reason: '', author: '', untilEpochMs: 0 }, 300);
    const after = Array.from({ length: 200 }, (_, i) =>
      named(balancer.lookup(aLookup({ key: `user-${i}` }), 400 + i)),
    );
    after.forEach((owner, i) => {
      if (before[i] === 'gw-3') expect(owner).not.toBe('gw-3');
      else expect(owner).toBe(before[i]);
    });
  });

  it('gives each gateway keys by its capacity, of one that claims too much by 16 times the median', () => {
    const balancer = aBalancer({ defaultPool: { affinityBound: Infinity, admitScore: Infinity } });
    const capacities = [0.5, 1, 1, 2, 1_000];
    capacities.forEach((capacity, i) => balancer.report(aReport(`gw-${i}`, { cpu: 0.3, capacity }), 0));
    const keys = capacities.map(() => 0);
    for (let i = 0; i < 20_500; i++)
      keys[Number(named(balancer.lookup(aLookup({ key: `user-${i}` }), 100)).slice(3))]!++;
    [500, 1_000, 1_000, 2_000, 16_000].forEach((share, i) => expect(keys[i]! / share).toBeCloseTo(1, 0.7));
  });

  it('leaves an owner that is too loaded', () => {
    const owner = named(fleet([0.3, 0.3, 0.3]).lookup(aLookup({ key: 'k' }), 150));
    const cpus = [0.3, 0.3, 0.3].map((cpu, i) => (owner === `gw-${i}` ? 0.8 : cpu));
    expect(named(fleet(cpus).lookup(aLookup({ key: 'k' }), 150))).not.toBe(owner);
  });

  it('stays at an owner a little over a small mean', () => {
    const owner = named(fleet([0.05, 0.05, 0.05]).lookup(aLookup({ key: 'k' }), 150));
    const cpus = [0.05, 0.05, 0.05].map((cpu, i) => (owner === `gw-${i}` ? 0.13 : cpu));
    expect(named(fleet(cpus).lookup(aLookup({ key: 'k' }), 150))).toBe(owner);
  });

  it('leaves it as well while a breaker is open: that is no load of the pool', () => {
    const calm = [0.3, 0.3, 0.3, 0.3];
    const owner = named(fleet(calm).lookup(aLookup({ key: 'k' }), 150));
    const balancer = fleet(calm.map((cpu, i) => (owner === `gw-${i}` ? 0.6 : cpu)));
    const shut = owner === 'gw-0' ? 'gw-1' : 'gw-0';
    balancer.report(lacking(aReport(shut, { seq: 99, cpu: 0.3 }), 'acceptedTotal', 'connections'), 10);
    for (let i = 0; i < 200; i++) turnedAway(balancer, 10);
    expect(breakerOf(balancer, shut, 150)).toBe('open');
    expect(named(balancer.lookup(aLookup({ key: 'k' }), 150))).not.toBe(owner);
  });

  it('names as alternates those that would own the key next, not those that are too loaded', () => {
    const cpus = Array.from({ length: 10 }, (_, i) => (i < 5 ? 0.3 : 0.85));
    const balancer = fleet(cpus);
    for (let i = 0; i < 50; i++) {
      const key = `user-${i}`;
      const all = balancer.lookup(aLookup({ key, alternates: 2 }), 150);
      if (!all.ok) throw new Error(all.code);
      const exclude: string[] = [named(all)];
      for (const { gateway } of all.alternates) {
        expect(cpus[Number(gateway.slice(3))]).toBe(0.3);
        expect(named(balancer.lookup(aLookup({ key, exclude }), 150))).toBe(gateway);
        exclude.push(gateway);
      }
      expect(exclude).toHaveLength(3);
    }
  });
});
