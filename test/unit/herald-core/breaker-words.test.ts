import { describe, expect, it } from 'vitest';
import { blackHole, breakerOf, failed, turnedAway } from './black-hole.ts';
import { aBalancer, aLookup, aReport, HERALD, named, tickTo } from './given.ts';

describe('the breaker, of words that prove nothing,', () => {
  it.each([
    ['stays closed for ten minutes', 590_000, 'closed'],
    ['opens then', 610_000, 'open'],
  ])('%s where clients ask for the gateway by their keys', (_, untilMs, expected) => {
    const balancer = aBalancer();
    const admitted = new Map([
      ['hole', 0],
      ['b', 0],
    ]);
    for (let nowMs = 0; nowMs <= untilMs; nowMs += 500) {
      for (const [id, count] of admitted) {
        const tickets = { [HERALD]: { admitted: count } };
        balancer.report(aReport(id, { seq: 1 + nowMs, tickets }), nowMs);
      }
      balancer.tick(nowMs);
      for (let i = 0; i < 4; i++) {
        const verdict = balancer.lookup(aLookup({ key: `room-${(nowMs / 500 + i) % 40}` }), nowMs);
        if (!verdict.ok) continue;
        const { gateway, ticketSeq } = verdict.best;
        if (gateway === 'b') admitted.set('b', admitted.get('b')! + 1);
        else balancer.lookup(aLookup({ exclude: [gateway], failedTicket: failed(ticketSeq) }), nowMs);
      }
      if (nowMs === 500_000) expect(admitted.get('b')).toBeGreaterThan(100);
    }
    expect(breakerOf(balancer, 'hole', untilMs)).toBe(expected);
  });

  it('counts a hint once per ticket, and only for the gateway that the client names', () => {
    const { balancer } = blackHole();
    const verdict = balancer.lookup(aLookup({ exclude: ['b', 'c', 'd'] }), 5);
    if (!verdict.ok) throw new Error(verdict.detail);
    const failedTicket = failed(verdict.best.ticketSeq);
    for (let i = 0; i < 20; i++) balancer.lookup(aLookup({ exclude: ['hole'], failedTicket }), 6);
    balancer.lookup(aLookup({ exclude: ['hole'], failedTicket: 't1.nonsense' }), 6);
    balancer.lookup(aLookup({ exclude: ['hole'], failedTicket: failed(999_999) }), 6);
    expect(breakerOf(balancer, 'hole', 7)).toBe('closed');
  });

  it('stays closed for words on a gateway that was not to be named, until clients are missed again', () => {
    const balancer = aBalancer();
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 500) {
      if (nowMs === 1_000)
        balancer.setDesired('a', { state: 'drain', reason: '', author: '', untilEpochMs: 0 }, nowMs);
      if (nowMs === 59_500)
        balancer.setDesired('a', { state: 'up', reason: '', author: '', untilEpochMs: 0 }, nowMs);
      balancer.report(aReport('a', { seq: 1 + nowMs, cpu: 0 }), nowMs);
      const tickets = { [HERALD]: { admitted: nowMs / 50 } };
      balancer.report(aReport('b', { seq: 1 + nowMs, cpu: 0.4, tickets }), nowMs);
      balancer.tick(nowMs);
    }
    for (let i = 0; i < 20; i++) {
      const verdict = balancer.lookup(aLookup(), 60_010);
      if (!verdict.ok || verdict.best.gateway !== 'a') continue;
      balancer.lookup(aLookup({ exclude: ['a'], failedTicket: failed(verdict.best.ticketSeq) }), 60_010);
    }
    expect(breakerOf(balancer, 'a', 60_010)).toBe('closed');
  });

  it('stays closed for words on a gateway that has just come from another pool', () => {
    const { balancer, fail } = blackHole();
    for (const [seq, nowMs] of [
      [2, 1_000],
      [3, 1_500],
    ] as const) {
      tickTo(balancer, nowMs - 400, nowMs);
      for (const id of ['b', 'c', 'd']) {
        const tickets = { [HERALD]: { admitted: 20 * seq } };
        balancer.report(aReport(id, { seq, cpu: 0.4, tickets }), nowMs);
      }
      balancer.report(aReport('hole', { seq, cpu: 0, ...(seq === 2 && { pool: 'other' }) }), nowMs);
    }
    expect(fail(8, 1_600)).toBe(8);
    expect(breakerOf(balancer, 'hole', 1_600)).toBe('closed');
  });

  it('stays closed for words against a new boot, before its share of the clients could reach it', () => {
    const { balancer, fail } = blackHole();
    balancer.report(aReport('hole', { seq: 1, bootId: 'boot-2', cpu: 0 }), 5);
    fail(20, 10);
    expect(breakerOf(balancer, 'hole', 10)).toBe('closed');
  });

  it('stays closed for words on a gateway that only another Herald hears', () => {
    const balancer = aBalancer();
    const other = aBalancer({ heraldId: 'h2' });
    for (const id of ['far', 'near']) other.report(aReport(id, { cpu: 0.1 }), 0);
    balancer.mergeRows(other.rows(0), 0);
    for (let i = 0; i < 20; i++) turnedAway(balancer, 10, { exclude: ['near'] });
    expect(breakerOf(balancer, 'far', 10)).toBe('closed');
  });

  it('stays closed for tickets of a gateway that only another Herald hears, and words on it', () => {
    const balancer = aBalancer();
    const other = aBalancer({ heraldId: 'h2' });
    const admitted = new Map<string, number>();
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 100) {
      for (const id of ['far', 'near']) {
        if (nowMs % 500 !== 0) continue;
        const tickets = { [HERALD]: { admitted: admitted.get(id) ?? 0 } };
        const report = aReport(id, { seq: 1 + nowMs, cpu: 0.1, tickets });
        other.report(report, nowMs);
        if (id === 'near' || nowMs < 5_000) balancer.report(report, nowMs);
      }
      balancer.mergeRows(other.rows(nowMs), nowMs);
      balancer.tick(nowMs);
      for (let i = 0; i < 2; i++) {
        const id = named(balancer.lookup(aLookup(), nowMs));
        admitted.set(id, (admitted.get(id) ?? 0) + 1);
      }
      expect(breakerOf(balancer, 'far', nowMs)).toBe('closed');
    }
    expect(balancer.gateway('far', 30_000)).toMatchObject({ hearsay: true });
    for (let i = 0; i < 20; i++) turnedAway(balancer, 30_000, { exclude: ['near'] });
    expect(breakerOf(balancer, 'far', 30_000)).toBe('closed');
  });

  it('is not fooled by lookups from which nobody ever connects', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 100) {
      if (nowMs % 500 === 0) {
        for (const id of ['a', 'b', 'c']) balancer.report(aReport(id, { seq: 1 + nowMs }), nowMs);
      }
      balancer.tick(nowMs);
      for (let i = 0; i < 5; i++) expect(balancer.lookup(aLookup(), nowMs).ok).toBe(true);
    }
  });
});
