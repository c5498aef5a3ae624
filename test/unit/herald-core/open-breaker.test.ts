import { describe, expect, it } from 'vitest';
import { blackHole, breakerOf, turnedAway } from './black-hole.ts';
import { aBalancer, aLookup, aReport, lacking, named, shares, tickTo } from './given.ts';

describe('an open breaker', () => {
  it.each(['draining', 'silent', 'full'])('shuts nobody out whom only %s gateways stand beside', (how) => {
    const { balancer, fail } = blackHole();
    fail(8, 10);
    const others = how === 'silent' ? ['hole'] : ['hole', 'b', 'c', 'd'];
    tickTo(balancer, 100, 1_500);
    for (const id of others) {
      const isHole = id === 'hole';
      const state = !isHole && how === 'draining' ? ('draining' as const) : ('up' as const);
      const full = !isHole && how === 'full' ? { maxConnections: 500 } : {};
      balancer.report(aReport(id, { seq: 2, cpu: 0.1, state, ...full }), 1_500);
    }
    tickTo(balancer, 1_600, 2_000);
    expect(breakerOf(balancer, 'hole', 2_050)).toBe('open');
    expect(named(balancer.lookup(aLookup(), 2_050))).toBe('hole');
  });

  it('leaves the load that others are shown alone: a broken gateway is not an overloaded one', () => {
    const { balancer, fail } = blackHole();
    const shown = (): number =>
      balancer.snapshot(10).gateways.find(({ gateway }) => gateway === 'hole')!.expectedScore;
    fail(7, 10);
    const before = shown();
    fail(1, 10);
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(shown()).toBeLessThan(before + 0.5);
  });

  it.each([
    ['most', ['hole', 'b', 'c'], 0.95, ['hole', 'b', 'c']],
    ['half', ['hole', 'b'], 0.95, []],
    ['most, and one of the others has room', ['hole', 'b', 'c'], 0.6, ['d']],
  ])('is not obeyed where those of %s are open, nor is the limit of the others', (_, shut, cpu, expected) => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (const id of shut)
      balancer.report(lacking(aReport(id, { cpu: 0.3 }), 'acceptedTotal', 'connections'), 0);
    for (let i = 0; i < 400; i++) turnedAway(balancer, 10);
    const others = ['hole', 'b', 'c', 'd'].filter((id) => !shut.includes(id));
    for (const id of others) balancer.report(aReport(id, { cpu }), 20);
    for (const id of shut) expect(breakerOf(balancer, id, 20)).toBe('open');
    const found = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const verdict = balancer.lookup(aLookup(), 200 + i);
      if (verdict.ok) found.add(verdict.best.gateway);
    }
    expect([...found].sort()).toEqual([...expected].sort());
  });

  it('is not obeyed from the moment in which those of most are open, although fewer were just before', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    const shut = ['a', 'b', 'c'];
    for (const id of shut)
      balancer.report(lacking(aReport(id, { cpu: 0.3 }), 'acceptedTotal', 'connections'), 0);
    const open = (id: string, nowMs: number): void => {
      const exclude = shut.filter((other) => other !== id);
      for (let i = 0; i < 8; i++) turnedAway(balancer, nowMs, { exclude });
      expect(breakerOf(balancer, id, nowMs)).toBe('open');
    };
    open('a', 10);
    expect(balancer.lookup(aLookup({ exclude: ['b', 'c'] }), 11).ok).toBe(false);
    open('b', 12);
    open('c', 12);
    expect(shares(balancer, 30, 13).size).toBe(3);
  });

  it('is not obeyed where those of most are open, however many of the others are too loaded', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    const shut = Array.from({ length: 50 }, (_, i) => `hole-${i}`);
    for (const id of shut)
      balancer.report(lacking(aReport(id, { cpu: 0.3 }), 'acceptedTotal', 'connections'), 0);
    for (let i = 0; i < 5_000; i++) turnedAway(balancer, 10);
    for (const id of shut) expect(breakerOf(balancer, id, 20)).toBe('open');
    for (let i = 0; i < 40; i++) balancer.report(aReport(`full-${i}`, { cpu: 0.95 }), 20);
    for (let i = 0; i < 30; i++) {
      const verdict = balancer.lookup(aLookup(), 200 + i);
      expect(verdict.ok && verdict.best.gateway).toMatch(/^hole-/);
    }
  });

  it('is not obeyed where it shuts out all that have the required label', () => {
    const balancer = aBalancer();
    const gold = aReport('hole', { cpu: 0.3, labels: { plan: 'gold' } });
    balancer.report(lacking(gold, 'acceptedTotal', 'connections'), 0);
    for (const id of ['b', 'c', 'd']) balancer.report(aReport(id, { cpu: 0.3 }), 0);
    const labels = { plan: 'gold' };
    for (let i = 0; i < 8; i++) turnedAway(balancer, 10, { labels });
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(named(balancer.lookup(aLookup({ labels }), 200))).toBe('hole');
    expect(shares(balancer, 100, 200).has('hole')).toBe(false);
  });
});
