import { describe, expect, it } from 'vitest';
import type { DrainOrder } from '../../../src/protocol/load-report.ts';
import type { Desired } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aLookup, aReport, fleet, named, shares } from './given.ts';

const wish = (state: Desired['state']): Desired => ({
  state,
  reason: 'test',
  author: 'ops',
  untilEpochMs: 0,
});

describe('a gateway is not named', () => {
  it('once it has been silent for two seconds, with or without a tick', () => {
    const balancer = fleet(['a']);
    expect(named(balancer.lookup(aLookup(), 2_000))).toBe('a');
    expect(balancer.lookup(aLookup(), 2_001)).toMatchObject({
      ok: false,
      code: 'none-eligible',
      refused: { stale: 1 },
    });
  });

  it('from the moment its report connection is lost until it reports again', () => {
    const balancer = fleet(['a', 'b', 'c', 'd']);
    balancer.suspect('a', 10);
    expect(shares(balancer, 100, 11).has('a')).toBe(false);
    balancer.report(aReport('a', { seq: 2, cpu: 0 }), 20);
    expect(shares(balancer, 100, 21).has('a')).toBe(true);
  });

  it.each(['drain', 'maint'] as const)(
    'while an operator wants %s, and again when that is lifted',
    (state) => {
      const balancer = fleet(['a', 'b']);
      balancer.setDesired('a', wish(state), 5);
      expect(shares(balancer, 50, 6).has('a')).toBe(false);
      balancer.setDesired('a', wish('up'), 7);
      expect(shares(balancer, 50, 8).has('a')).toBe(true);
    },
  );

  it('when the wish came before its first report', () => {
    const balancer = aBalancer();
    balancer.setDesired('a', wish('maint'), 0);
    balancer.report(aReport('a'), 1);
    expect(balancer.lookup(aLookup(), 2)).toMatchObject({ refused: { maint: 1 } });
  });

  it('while it drains by itself', () => {
    const balancer = fleet(['a', 'b']);
    balancer.report(aReport('a', { seq: 2, state: 'draining' }), 1);
    expect(shares(balancer, 50, 2).has('a')).toBe(false);
  });

  it('when its hard cap is reached, tickets on their way included', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { connections: 8, maxConnections: 10 }), 0);
    named(balancer.lookup(aLookup(), 1));
    named(balancer.lookup(aLookup(), 1));
    expect(balancer.lookup(aLookup(), 1)).toMatchObject({ ok: false, refused: { full: 1 } });
  });

  it('when tickets fill it, for as long as its period leaves them on their way', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { periodMs: 4_000, maxConnections: 501 }), 0);
    balancer.tick(0);
    named(balancer.lookup(aLookup(), 0));
    for (let nowMs = 100; nowMs <= 3_900; nowMs += 100) balancer.tick(nowMs);
    expect(balancer.lookup(aLookup(), 3_900)).toMatchObject({ ok: false, refused: { full: 1 } });
  });

  it.each([0.001, 1, 100])('beyond its hard cap by clients, whatever size they say: %f', (size) => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    balancer.report(aReport('a', { cpu: 0.01, connections: 990, maxConnections: 1_000 }), 0);
    const verdicts = Array.from({ length: 50 }, () => balancer.lookup(aLookup({ size }), 1));
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(10);
    expect(verdicts.at(-1)).toMatchObject({ refused: { full: 1 } });
  });

  it('to a client that says it failed', () => {
    const balancer = fleet(['a', 'b']);
    expect(shares(balancer, 50, 1, { exclude: ['a'] })).toEqual(new Map([['b', 50]]));
    const none = balancer.lookup(aLookup({ exclude: ['a', 'b'] }), 1);
    expect(none).toMatchObject({ ok: false, code: 'none-eligible', refused: { excluded: 2 } });
  });

  it('and a refusal tells each client of its own exclusions, among refusals that come in a crowd', () => {
    const balancer = aBalancer();
    const hot = ['a', 'b', 'c', 'd'];
    for (const id of hot) balancer.report(aReport(id, { cpu: 0.97 }), 0);
    const refusal = (exclude: string[]): object => balancer.lookup(aLookup({ exclude }), 1);
    expect(refusal(['b', 'b', 'nobody'])).toMatchObject({
      refused: { overloaded: 3, excluded: 1 },
      detail: expect.stringContaining('overloaded 3 (a, c, 1 more); excluded 1 (b)'),
    });
    expect(refusal([])).toMatchObject({ detail: expect.stringContaining('overloaded 4 (a, b, c, 1 more)') });
    expect(refusal(hot)).toMatchObject({ refused: { excluded: 4 } });
    expect(refusal([])).toMatchObject({ refused: { overloaded: 4 } });
  });

  it('and is not told as excluded where it could not be named anyhow: of another pool, or without the label', () => {
    const balancer = aBalancer();
    const hot = { cpu: 0.97, periodMs: 2_000 };
    balancer.report(aReport('a', { ...hot, labels: { disk: 'ssd' } }), 0);
    balancer.report(aReport('b', { ...hot, labels: { disk: 'hdd' } }), 0);
    balancer.report(aReport('c', { ...hot, pool: 'chat', labels: { disk: 'ssd' } }), 0);
    const ask = aLookup({ exclude: ['b', 'c'], labels: { disk: 'ssd' } });
    expect(balancer.lookup(ask, 1)).toHaveProperty('refused', { overloaded: 1, label: 1 });
    balancer.report(aReport('a', { ...hot, seq: 2, labels: { disk: 'ssd' }, maxConnections: 1 }), 90);
    // What was counted is kept for 100 ms, and no longer.
    expect(balancer.lookup(ask, 100)).toHaveProperty('refused', { overloaded: 1, label: 1 });
    expect(balancer.lookup(ask, 101)).toHaveProperty('refused', { full: 1, label: 1 });
  });

  it('and of those that were removed the refusal names each for its own reason', () => {
    const balancer = aBalancer();
    for (const id of ['a', 'b', 'c']) {
      const labels = { disk: id === 'c' ? 'hdd' : 'ssd' };
      balancer.report(aReport(id, { labels, state: id === 'b' ? 'up' : 'draining' }), 0);
    }
    const none = balancer.lookup(aLookup({ exclude: ['b'], labels: { disk: 'ssd' } }), 1);
    expect(none).toMatchObject({ ok: false, detail: expect.stringContaining('label 1 (c)') as string });
  });

  it('when it is in another pool or lacks a required label; the refusal says whom that removed', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a', { pool: 'chat', labels: { disk: 'ssd' } }), 0);
    balancer.report(aReport('b', { pool: 'chat', labels: { disk: 'hdd' } }), 0);
    expect(balancer.lookup(aLookup(), 1)).toMatchObject({
      ok: false,
      code: 'no-gateways',
      refused: { pool: 2 },
    });
    expect(shares(balancer, 20, 1, { pool: 'chat', labels: { disk: 'ssd' } })).toEqual(new Map([['a', 20]]));
    const none = balancer.lookup(aLookup({ pool: 'chat', labels: { disk: 'nvme' } }), 1);
    expect(none).toMatchObject({
      ok: false,
      refused: { label: 2 },
      detail: expect.stringContaining('label 2 (a, b)'),
    });
  });
});

describe('directives', () => {
  it('repeat the drain until the gateway says it drains, then say ready once that is lifted', () => {
    const balancer = fleet(['a']);
    balancer.setDesired('a', wish('drain'), 1);
    const asked = balancer.report(aReport('a', { seq: 2 }), 2);
    expect(asked).toMatchObject({ directive: { drain: { reason: 'test' } } });
    expect(balancer.report(aReport('a', { seq: 3, state: 'draining' }), 3)).not.toHaveProperty('directive');
    balancer.setDesired('a', wish('up'), 4);
    const ready = balancer.report(aReport('a', { seq: 4, state: 'draining' }), 5);
    expect(ready).toMatchObject({ directive: { ready: {} } });
    expect(balancer.report(aReport('a', { seq: 5 }), 6)).not.toHaveProperty('directive');
  });

  it('spread a drain so that fifty clients a second move, within 10 s to a minute', () => {
    const spread = (fields: object): unknown => {
      const balancer = fleet(['a']);
      balancer.setDesired('a', wish('drain'), 1);
      const verdict = balancer.report(aReport('a', { seq: 2, ...fields }), 2);
      const { drain } = (verdict as { directive: { drain: DrainOrder } }).directive;
      return [drain.spreadMs, drain.deadlineMs];
    };
    expect(spread({ connections: 20 })).toEqual([10_000, 40_000]);
    expect(spread({ connections: 1_000 })).toEqual([20_000, 50_000]);
    expect(spread({ connections: 10_000 })).toEqual([60_000, 90_000]);
    // It does not count them.
    expect(spread({ connections: undefined })).toEqual([60_000, 90_000]);
  });

  it('leave a gateway alone that drains of its own will', () => {
    const balancer = fleet(['a']);
    expect(balancer.report(aReport('a', { seq: 2, state: 'draining' }), 60_000)).not.toHaveProperty(
      'directive',
    );
  });
});

describe('wishes', () => {
  it('keep a lookup in its zone until elsewhere is better by more than 0.1, then spill', () => {
    const at = (localCpu: number): Map<string, number> => {
      const balancer = aBalancer();
      balancer.report(aReport('local', { zone: 'eu', cpu: localCpu }), 0);
      balancer.report(aReport('far', { zone: 'us', cpu: 0.4 }), 0);
      return shares(balancer, 5, 0, { zone: 'eu' });
    };
    expect(at(0.46)).toEqual(new Map([['local', 5]]));
    expect(at(0.7)).toEqual(new Map([['far', 5]]));
  });

  it('hold for a client that was told to move, which looks at all gateways', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (let i = 0; i < 100; i++) balancer.report(aReport(`far-${i}`, { zone: 'us', cpu: 0.4 }), 0);
    balancer.report(aReport('near', { zone: 'eu', cpu: 0.46 }), 0);
    balancer.report(aReport('hot', { zone: 'eu', cpu: 0.7, labels: { disk: 'ssd' } }), 0);
    const moved = (fields: object): string =>
      named(balancer.lookup(aLookup({ intent: 'move', exclude: ['left'], ...fields }), 0));
    expect(moved({ zone: 'eu' })).toBe('near');
    expect(moved({ zone: 'eu', exclude: ['near'] })).toMatch(/^far-/);
    expect(moved({ preferred: [{ key: 'disk', value: 'ssd', weight: 0.4 }] })).toBe('hot');
    expect(moved({})).toMatch(/^far-/);
  });

  it('find the one gateway with a preferred label among hundreds', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 300; i++)
      balancer.report(aReport(`gw-${i}`, i === 77 ? { labels: { disk: 'ssd' } } : {}), 0);
    const preferred = [{ key: 'disk', value: 'ssd', weight: 0.1 }];
    expect(named(balancer.lookup(aLookup({ preferred }), 0))).toBe('gw-77');
    expect(balancer.lookup(aLookup({ preferred: [{ ...preferred[0]!, value: 'none' }] }), 0).ok).toBe(true);
  });

  it('of no weight change nothing', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 300; i++)
      balancer.report(aReport(`gw-${i}`, i === 77 ? { labels: { disk: 'ssd' } } : {}), 0);
    const preferred = [{ key: 'disk', value: 'ssd', weight: 0 }];
    expect(named(balancer.lookup(aLookup({ preferred }), 0))).not.toBe('gw-77');
  });

  it('are not granted beyond the admission limit', () => {
    const balancer = aBalancer();
    balancer.report(aReport('local', { zone: 'eu', cpu: 0.93 }), 0);
    balancer.report(aReport('far', { zone: 'us', cpu: 0.88 }), 0);
    expect(named(balancer.lookup(aLookup({ zone: 'eu' }), 0))).toBe('far');
  });
});
