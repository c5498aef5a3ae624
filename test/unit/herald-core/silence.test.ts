// When silence proves nothing: of most of a pool at once, or after a sleep of this Herald's own; and when a gateway that
// is silent is forgotten.

import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport, fleet, shares, tickTo } from './given.ts';

describe('the mass-loss guard', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];

  it('goes on serving when everybody falls silent at once, and thaws when they are back', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 5_000);
    expect(balancer.snapshot(5_000).frozen).toBe(true);
    expect(shares(balancer, 100, 5_000).size).toBe(5);
    tickTo(balancer, 5_100, 120_000);
    expect(balancer.snapshot(120_000).gateways).toHaveLength(5);
    for (const id of ids.slice(0, 3)) balancer.report(aReport(id, { seq: 2 }), 120_050);
    balancer.tick(120_100);
    expect(balancer.snapshot(120_100).frozen).toBe(false);
    expect([...shares(balancer, 100, 120_100).keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  it('judges a minority plainly', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 5_000, (nowMs) => {
      if (nowMs % 500 === 0)
        for (const id of ['a', 'b', 'c']) balancer.report(aReport(id, { seq: 2 + nowMs }), nowMs);
    });
    expect(balancer.snapshot(5_000).frozen).toBe(false);
    expect([...shares(balancer, 100, 5_000).keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  it('gives the ones still missing up after a minute of others reporting', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 4_000);
    expect(balancer.snapshot(4_000).frozen).toBe(true);
    tickTo(balancer, 4_100, 70_000, (nowMs) => {
      if (nowMs % 500 === 0) balancer.report(aReport('a', { seq: 2 + nowMs }), nowMs);
    });
    expect(balancer.snapshot(70_000).frozen).toBe(false);
    expect([...shares(balancer, 20, 70_000).keys()]).toEqual(['a']);
  });

  it('counts as lost together who falls silent within one period of the slowest', () => {
    const balancer = aBalancer();
    for (const [i, id] of ids.entries()) balancer.report(aReport(id, { periodMs: 1_000 }), i * 200);
    tickTo(balancer, 0, 4_400);
    expect(balancer.isFrozen()).toBe(false);
    tickTo(balancer, 4_500, 4_600);
    expect(balancer.isFrozen()).toBe(true);
  });

  it('serves a snapshot of old rows as long as nobody has been heard', () => {
    const old = fleet(['a', 'b']).rows(0);
    const balancer = aBalancer();
    balancer.mergeRows(
      old.map((row) => ({ ...row, ageMs: 20_000 })),
      100,
    );
    balancer.tick(100);
    expect(balancer.snapshot(100).frozen).toBe(true);
    expect(balancer.lookup(aLookup(), 101).ok).toBe(true);
  });
});

describe('a Herald that slept', () => {
  it('answers nothing from before a long sleep and blames nobody for its own silence', () => {
    const balancer = fleet(['a', 'b', 'c', 'd']);
    tickTo(balancer, 0, 1_000);
    balancer.tick(31_000);
    expect(balancer.lookup(aLookup(), 31_000)).toMatchObject({ ok: false, code: 'starting' });
    expect(balancer.isWaking(31_000)).toBe(true);
    expect(balancer.snapshot(31_000).gateways).toHaveLength(4);
    for (const id of ['a', 'b', 'c']) balancer.report(aReport(id, { seq: 2 }), 31_300);
    tickTo(balancer, 31_100, 31_900);
    // The tick that judges who was not heard is late.
    expect(balancer.lookup(aLookup(), 32_050)).toMatchObject({ ok: false, code: 'starting' });
    balancer.tick(32_100);
    expect(balancer.isWaking(32_100)).toBe(false);
    expect([...shares(balancer, 60, 32_100).keys()].sort()).toEqual(['a', 'b', 'c']);
    expect(balancer.snapshot(32_100).frozen).toBe(false);
  });

  it('knows it before its first tick, in which what had queued up may be answered', () => {
    const balancer = fleet(['a', 'b', 'c', 'd']);
    tickTo(balancer, 0, 1_000);
    expect(balancer.lookup(aLookup(), 31_000)).toMatchObject({ ok: false, code: 'starting' });
    balancer.tick(31_001);
    expect(balancer.lookup(aLookup(), 31_500)).toMatchObject({ ok: false, code: 'starting' });
    tickTo(balancer, 31_100, 32_000, (nowMs) => {
      if (nowMs === 31_600) for (const id of ['a', 'b']) balancer.report(aReport(id, { seq: 2 }), nowMs);
    });
    expect([...shares(balancer, 60, 32_050).keys()].sort()).toEqual(['a', 'b']);
  });

  it('goes on after a short one', () => {
    const balancer = fleet(['a', 'b', 'c', 'd']);
    tickTo(balancer, 0, 900);
    balancer.tick(2_500);
    expect(shares(balancer, 60, 2_500).size).toBe(4);
    expect(balancer.snapshot(2_500).frozen).toBe(false);
    tickTo(balancer, 2_600, 4_000);
    balancer.tick(6_100);
    expect(balancer.lookup(aLookup(), 6_100)).toMatchObject({ ok: false, code: 'starting' });
  });
});

it('forgets a gateway whose last report is older than the expiry', () => {
  const balancer = fleet(['a', 'b', 'c']);
  tickTo(balancer, 0, 40_000, (nowMs) => {
    if (nowMs % 500 === 0)
      for (const id of ['a', 'b']) balancer.report(aReport(id, { seq: 2 + nowMs }), nowMs);
  });
  expect(balancer.snapshot(40_000).gateways.map((row) => row.gateway)).toEqual(['a', 'b']);
});

it('remembers one with a long period for five times the silence that made it stale', () => {
  const balancer = fleet(['b', 'c', 'd']);
  balancer.report(aReport('a', { periodMs: 60_000 }), 0);
  tickTo(balancer, 0, 301_000, (nowMs) => {
    if (nowMs % 500 === 0)
      for (const id of ['b', 'c', 'd']) balancer.report(aReport(id, { seq: 2 + nowMs }), nowMs);
    if (nowMs === 299_900) expect(balancer.gateway('a', nowMs)).toBeDefined();
  });
  expect(balancer.gateway('a', 301_000)).toBeUndefined();
});
