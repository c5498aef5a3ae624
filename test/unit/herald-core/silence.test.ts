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

  it('freezes anew at once when they are reset right after they were back', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 5_000);
    for (const id of ids) balancer.report(aReport(id, { seq: 2 }), 5_050);
    balancer.tick(5_100);
    expect(balancer.isFrozen()).toBe(false);
    for (const id of ids) balancer.suspect(id, 5_103);
    expect(balancer.lookup(aLookup(), 5_104).ok).toBe(true);
  });

  it('answers through the moment in which all fall silent, right after a tick', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 1_900);
    balancer.tick(1_999);
    expect(balancer.lookup(aLookup(), 2_001).ok).toBe(true);
  });

  it('names the others at once when most are reset and the rest has no room', () => {
    const balancer = aBalancer();
    for (const id of ids) balancer.report(aReport(id, { cpu: id === 'a' ? 0.97 : 0.3 }), 0);
    balancer.tick(100);
    for (const id of ids.slice(1)) balancer.suspect(id, 103);
    expect(balancer.lookup(aLookup(), 104).ok).toBe(true);
  });

  it('names the others at once when most are silent and the rest has no room', () => {
    const balancer = aBalancer();
    for (const id of ids) balancer.report(aReport(id, { cpu: 0.3 }), 0);
    tickTo(balancer, 0, 1_900, (nowMs) =>
      balancer.report(aReport('a', { seq: 2 + nowMs, cpu: 0.97 }), nowMs),
    );
    balancer.tick(1_999);
    expect(balancer.lookup(aLookup(), 2_001).ok).toBe(true);
  });

  it('answers at once in a fleet too large to be looked at twice within 50 ms', () => {
    const many = Array.from({ length: 600 }, (_, i) => `gw-${i}`);
    const balancer = fleet(many);
    tickTo(balancer, 0, 100);
    for (const id of many) balancer.suspect(id, 103);
    expect(balancer.lookup(aLookup(), 104).ok).toBe(true);
  });

  it('names the others at once when a lost one that is wanted again makes them the majority', () => {
    const balancer = fleet(['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4']);
    const want = (state: 'up' | 'drain') =>
      balancer.setDesired('gw-2', { state, reason: '', author: '', untilEpochMs: 0 }, 150);
    balancer.tick(100);
    want('drain');
    for (const gateway of ['gw-2', 'gw-3', 'gw-4']) balancer.suspect(gateway, 150);
    const others = aLookup({ exclude: ['gw-0', 'gw-1'] });
    expect(balancer.lookup(others, 151)).toMatchObject({ ok: false, code: 'none-eligible' });
    want('up');
    expect(balancer.lookup(others, 152)).toMatchObject({ ok: true });
    expect(balancer.isFrozen()).toBe(true);
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

  it('counts no sleep of its own towards that minute', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 10_000, (nowMs) => {
      if (nowMs >= 5_000) balancer.report(aReport('a', { seq: 2 + nowMs }), nowMs);
    });
    tickTo(balancer, 80_000, 82_000, (nowMs) => {
      balancer.report(aReport('a', { seq: 2 + nowMs }), nowMs);
      expect(balancer.isFrozen()).toBe(true);
    });
  });

  it('gives them up after a minute of another reporting, however often that one falls silent too', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 200_000, (nowMs) => {
      if (nowMs % 5_000 === 0) balancer.report(aReport('a', { seq: 2 + nowMs }), nowMs);
    });
    expect(balancer.isFrozen()).toBe(false);
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
    expect(balancer.isWaking(31_000)).toBe(true);
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

describe('a Herald that wakes up', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];

  it('knows that it slept before its first tick', () => {
    const balancer = fleet(['a']);
    tickTo(balancer, 0, 600);
    expect(balancer.lookup(aLookup(), 2_300).ok).toBe(true);
    expect(balancer.lookup(aLookup(), 31_000)).toMatchObject({ ok: false, code: 'starting' });
  });

  it('answers when all report connections turn out to be reset', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 500);
    balancer.tick(2_000);
    for (const id of ids) balancer.suspect(id, 2_003);
    expect(balancer.lookup(aLookup(), 2_004).ok).toBe(true);
    expect(balancer.isFrozen()).toBe(true);
    for (const id of ids) balancer.report(aReport(id, { seq: 2 }), 2_500);
    tickTo(balancer, 2_600, 3_100);
    expect(balancer.isFrozen()).toBe(false);
  });

  it('answers after a long sleep from what it knew when it hears nobody', () => {
    const balancer = fleet(ids);
    tickTo(balancer, 0, 500);
    tickTo(balancer, 4_000, 5_000);
    expect(shares(balancer, 60, 5_001).size).toBe(5);
    expect(balancer.isFrozen()).toBe(true);
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
