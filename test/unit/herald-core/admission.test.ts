import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/herald/core/admission.ts';
import { aBalancer, aLookup, aReport, named, shares } from './given.ts';

describe('admission', () => {
  it('refuses a new connection above 0.90 and lets those that resume or move in up to 0.95', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.92 }), 0);
    balancer.report(aReport('b', { cpu: 0.94 }), 0);
    expect(balancer.lookup(aLookup(), 0)).toMatchObject({
      ok: false,
      code: 'overloaded',
      refused: { overloaded: 2 },
    });
    expect(balancer.lookup(aLookup({ intent: 'resume' }), 0).ok).toBe(true);
    expect(named(balancer.lookup(aLookup({ intent: 'move' }), 0))).toBe('a');
  });

  it('says so however large the load is', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 400 }), 0);
    expect(balancer.lookup(aLookup(), 0)).toMatchObject({ code: 'overloaded', refused: { overloaded: 1 } });
  });

  it('finds the one gateway with room among a hundred full ones, every time', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 42 ? 0.3 : 0.97 }), 0);
    expect(shares(balancer, 40, 0)).toEqual(new Map([['gw-42', 40]]));
  });

  it('refuses nobody else because a client excludes the one with room', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 42 ? 0.3 : 0.97 }), 0);
    expect(balancer.lookup(aLookup({ exclude: ['gw-42'] }), 0)).toMatchObject({ code: 'overloaded' });
    expect(shares(balancer, 40, 0)).toEqual(new Map([['gw-42', 40]]));
  });

  it('finds it for clients that return as well, who may go where newcomers were just refused', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (let i = 0; i < 100; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 7 ? 0.93 : 0.97 }), 0);
    for (let i = 0; i < 20; i++) {
      expect(balancer.lookup(aLookup(), 1).ok).toBe(false);
      expect(named(balancer.lookup(aLookup({ intent: 'resume' }), 1))).toBe('gw-7');
    }
  });

  it('gives each refused caller its own time to come back, later when more are refused', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { cpu: 0.99 }), 0);
    const waits = (nowMs: number): number[] =>
      Array.from({ length: 50 }, () => {
        const verdict = balancer.lookup(aLookup(), nowMs);
        return verdict.ok ? 0 : verdict.retryAfterMs;
      });
    expect(new Set(waits(0)).size).toBeGreaterThan(40);
    expect(retryAfterMs(0, true, 0.5)).toBe(1_000);
    expect(retryAfterMs(1, true, 0.99)).toBeLessThan(9_000);
    expect(retryAfterMs(0, false, 0.5)).toBe(2_000);
    expect(retryAfterMs(1, false, 0.5)).toBe(20_000);
    expect(retryAfterMs(0.5, false, 0)).toBeLessThan(retryAfterMs(0.5, false, 0.99));
  });

  it('sends nobody far away for one bad second of a quiet fleet, and further the longer it lasts', () => {
    const balancer = aBalancer();
    const refuse = (nowMs: number, intent: 'connect' | 'resume'): number => {
      balancer.tick(nowMs);
      const verdict = balancer.lookup(aLookup({ intent }), nowMs);
      return verdict.ok ? NaN : verdict.retryAfterMs;
    };
    const longest: Record<string, number> = {};
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 100) {
      // Three gateways on one busy machine: all of them are full at once.
      for (const gateway of ['a', 'b', 'c'])
        balancer.report(aReport(gateway, { cpu: 1.2, seq: nowMs }), nowMs);
      const span = nowMs <= 1_000 ? 'first second' : nowMs > 15_000 ? 'later' : 'between';
      for (const intent of ['connect', 'resume'] as const) {
        const key = `${span}, ${intent}`;
        longest[key] = Math.max(longest[key] ?? 0, refuse(nowMs, intent));
      }
    }
    expect(longest['first second, connect']).toBeLessThan(6_000);
    expect(longest['first second, resume']).toBeLessThan(2_500);
    expect(longest['later, connect']).toBeGreaterThan(20_000);
    expect(longest['later, connect']).toBeLessThanOrEqual(30_000);
    expect(longest['later, resume']).toBeLessThanOrEqual(9_000);
  });

  it('does not apply to the simpler policies', () => {
    const balancer = aBalancer({ defaultPool: { policy: 'round-robin' } });
    balancer.report(aReport('a', { cpu: 0.99 }), 0);
    expect(balancer.lookup(aLookup(), 0).ok).toBe(true);
  });
});

it('lets a storm in as far as handshakes add 0.4, not further', () => {
  const balancer = aBalancer();
  balancer.report(aReport('a', { cpu: 0.7 }), 0);
  const verdicts = Array.from({ length: 1_000 }, () => balancer.lookup(aLookup(), 1).ok);
  expect(verdicts.filter((ok) => ok).length).toBeLessThan(400);
});

it('names the least loaded of all to a client that is told to move', () => {
  const balancer = aBalancer();
  for (let i = 0; i < 200; i++) balancer.report(aReport(`gw-${i}`, { cpu: i === 77 ? 0.2 : 0.5 }), 0);
  expect(named(balancer.lookup(aLookup({ intent: 'move' }), 1))).toBe('gw-77');
});

it('keeps to the share cap when one is set', () => {
  const capped = aBalancer({ defaultPool: { shareCap: 2 } });
  const free = aBalancer();
  const newcomerShare = (balancer: typeof capped): number => {
    for (let i = 0; i < 20; i++)
      balancer.report(aReport(`gw-${i}`, { cpu: i === 0 ? 0 : 0.7, connections: i && 3_500 }), 0);
    let got = 0;
    for (let nowMs = 0; nowMs < 1_900; nowMs += 10) {
      if (named(balancer.lookup(aLookup(), nowMs)) === 'gw-0') got++;
    }
    return got / 190;
  };
  expect(newcomerShare(free)).toBeGreaterThan(0.25);
  expect(newcomerShare(capped)).toBeLessThan(0.2);
});

it('keeps to no share cap while lookups are few: a fair share of them is less than one', () => {
  const balancer = aBalancer({ defaultPool: { shareCap: 2 } });
  let got = 0;
  for (let nowMs = 0; nowMs < 20_000; nowMs += 200) {
    for (let i = 0; i < 20 && nowMs % 1_000 === 0; i++) {
      const fields = { cpu: i === 0 ? 0 : 0.7, connections: i && 3_500 };
      balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, ...fields }), nowMs);
    }
    balancer.tick(nowMs);
    if (named(balancer.lookup(aLookup(), nowMs)) === 'gw-0') got++;
  }
  expect(got).toBeGreaterThan(25);
});

it('draws as ever where none is set, however many lookups come', () => {
  const balancer = aBalancer();
  for (const id of ['a', 'b']) balancer.report(aReport(id), 0);
  for (let nowMs = 0; nowMs < 1_000; nowMs += 10) balancer.lookup(aLookup(), nowMs);
  const { lookupId } = balancer.lookup(aLookup(), 1_000);
  expect(balancer.explain(lookupId)).toMatchObject({ way: 'drawn' });
});
