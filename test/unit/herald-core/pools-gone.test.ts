// Pools come and go: a deploy renames one, a gateway says another name with each report.

import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aLookup, aReport } from './given.ts';

const FLEET = ['gw-1', 'gw-2', 'gw-3', 'gw-4'];

/** Heard as `said` by pool, twice a second, ticking on from `fromMs` to `untilMs`. */
function passes(balancer: Balancer, said: Record<string, string[]>, fromMs: number, untilMs: number): void {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 500) {
    for (const [pool, gateways] of Object.entries(said)) {
      for (const gateway of gateways) balancer.report(aReport(gateway, { pool, seq: nowMs + 1 }), nowMs);
    }
    balancer.tick(nowMs);
  }
}

const poolsOf = (balancer: Balancer): string[] => Object.keys(balancer.moverModes().modes);

describe('a pool', () => {
  it('is forgotten with its last gateway', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 1_000; i++) {
      balancer.report(aReport('gw-1', { pool: `pool-${i}`, seq: i + 1 }), i * 10);
      if (i % 10 === 0) balancer.tick(i * 10);
    }
    balancer.tick(10_000);
    expect(poolsOf(balancer)).toEqual(['pool-999']);
    expect(balancer.lookup(aLookup({ pool: 'pool-5' }), 10_000)).toMatchObject({ code: 'no-gateways' });
    expect(balancer.lookup(aLookup({ pool: 'pool-999' }), 10_000)).toMatchObject({ ok: true });
  });

  it('finds again what an operator said of its mover when it was away', () => {
    const balancer = aBalancer();
    passes(balancer, { blue: FLEET }, 0, 2_000);
    balancer.setMoverMode('dry-run', 'blue');
    passes(balancer, { green: FLEET }, 2_500, 4_000);
    expect(poolsOf(balancer)).toEqual(['green']);
    passes(balancer, { blue: FLEET }, 4_500, 6_000);
    expect(balancer.moverModes().modes).toEqual({ blue: 'dry-run' });
    balancer.setMoverMode('on');
    passes(balancer, { green: FLEET }, 6_500, 8_000);
    passes(balancer, { blue: FLEET }, 8_500, 9_000);
    expect(balancer.moverModes().modes).toEqual({ blue: 'on' });
  });
});

describe('the freeze of a pool whose gateways are all gone', () => {
  it('ends ten minutes after other pools are heard, and the pool with it', () => {
    const balancer = aBalancer();
    const green = FLEET.map((name) => `${name}-green`);
    passes(balancer, { blue: FLEET, green }, 0, 3_000);
    passes(balancer, { green }, 3_500, 590_000);
    expect(balancer.snapshot(590_000).frozen).toBe(true);
    expect(balancer.lookup(aLookup({ pool: 'blue' }), 590_000)).toMatchObject({ ok: true });
    passes(balancer, { green }, 590_500, 620_000);
    expect(balancer.snapshot(620_000).frozen).toBe(false);
    expect(poolsOf(balancer)).toEqual(['green']);
    expect(balancer.lookup(aLookup({ pool: 'blue' }), 620_000)).toMatchObject({ code: 'no-gateways' });
  });

  it('lasts as long as nobody at all is heard', () => {
    const balancer = aBalancer();
    passes(balancer, { blue: FLEET }, 0, 3_000);
    passes(balancer, {}, 3_500, 3_600_000);
    expect(balancer.snapshot(3_600_000).frozen).toBe(true);
    expect(balancer.lookup(aLookup({ pool: 'blue' }), 3_600_000)).toMatchObject({ ok: true });
  });

  it('ends with the pool when all its gateways moved to another', () => {
    const balancer = aBalancer();
    passes(balancer, { blue: FLEET }, 0, 3_000);
    passes(balancer, {}, 3_500, 10_000);
    expect(balancer.snapshot(10_000).frozen).toBe(true);
    passes(balancer, { green: FLEET }, 10_500, 12_000);
    expect(balancer.snapshot(12_000).frozen).toBe(false);
    expect(poolsOf(balancer)).toEqual(['green']);
  });
});
