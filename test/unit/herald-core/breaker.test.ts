import { describe, expect, it } from 'vitest';
import {
  breakerAccepted,
  breakerAt,
  breakerFailed,
  breakerTried,
  fadeBreaker,
  newBreaker,
} from '../../../src/herald/core/breaker.ts';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import { encodeTicket } from '../../../src/protocol/ticket.ts';
import { aBalancer, aLookup, aReport, HERALD, lacking, named, shares } from './given.ts';

const breakerOf = (balancer: Balancer, gateway: string, nowMs: number) =>
  balancer.snapshot(nowMs).gateways.find((row) => row.gateway === gateway)!.breaker;

const failed = (seq: number): string =>
  encodeTicket({ heraldId: HERALD, seq, issuedMs: 0, mac: 'A'.repeat(22) });

/** Four gateways of which `hole` looks idle and admits nobody, unlike the others; all clients of it come back and say so. */
function blackHole(): { balancer: Balancer; fail: (count: number, nowMs: number) => number } {
  const balancer = aBalancer();
  for (const [seq, nowMs] of [
    [0, -3_000],
    [1, 0],
  ] as const) {
    for (const id of ['hole', 'b', 'c', 'd']) {
      const fields = id === 'hole' ? { cpu: 0 } : { cpu: 0.4, tickets: { [HERALD]: { admitted: 20 * seq } } };
      balancer.report(aReport(id, { seq, ...fields }), nowMs);
    }
  }
  balancer.tick(0);
  const fail = (count: number, nowMs: number): number => {
    let told = 0;
    for (let i = 0; i < 400 && told < count; i++) {
      const verdict = balancer.lookup(aLookup(), nowMs);
      if (!verdict.ok || verdict.best.gateway !== 'hole') continue;
      told++;
      balancer.lookup(aLookup({ exclude: ['hole'], failedTicket: failed(verdict.best.ticketSeq) }), nowMs);
    }
    return told;
  };
  return { balancer, fail };
}

/** Lets time pass in which all four report twice a second, with `more` beside what they always say. */
function passing(
  balancer: Balancer,
  more: (nowMs: number) => Partial<LoadReport> = () => ({}),
): (fromMs: number, toMs: number) => void {
  return (fromMs, toMs) => {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 500) {
      for (const id of ['hole', 'b', 'c', 'd']) {
        const cpu = id === 'hole' ? 0 : 0.4;
        balancer.report(aReport(id, { seq: 1 + nowMs, cpu, ...more(nowMs) }), nowMs);
      }
      balancer.tick(nowMs);
    }
  };
}

describe('the breaker', () => {
  it('opens after eight failed picks, whatever the gateway reports', () => {
    const { balancer, fail } = blackHole();
    expect(fail(7, 10)).toBe(7);
    expect(breakerOf(balancer, 'hole', 10)).toBe('closed');
    fail(1, 10);
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(shares(balancer, 200, 11).has('hole')).toBe(false);
  });

  it('closes when another Herald has heard of a new boot', () => {
    const { balancer, fail } = blackHole();
    fail(8, 10);
    const other = aBalancer({ heraldId: 'h2' });
    other.report(aReport('hole', { bootId: 'boot-2', cpu: 0 }), 20);
    balancer.mergeRows(other.rows(20), 20);
    expect(breakerOf(balancer, 'hole', 20)).toBe('closed');
    expect(shares(balancer, 200, 21).has('hole')).toBe(true);
  });

  it.each(['draining', 'silent', 'full'])('shuts nobody out whom only %s gateways stand beside', (how) => {
    const { balancer, fail } = blackHole();
    fail(8, 10);
    const others = how === 'silent' ? ['hole'] : ['hole', 'b', 'c', 'd'];
    for (const id of others) {
      const isHole = id === 'hole';
      const state = !isHole && how === 'draining' ? ('draining' as const) : ('up' as const);
      const full = !isHole && how === 'full' ? { maxConnections: 500 } : {};
      balancer.report(aReport(id, { seq: 2, cpu: 0.1, state, ...full }), 2_300);
    }
    expect(breakerOf(balancer, 'hole', 2_300)).toBe('open');
    expect(named(balancer.lookup(aLookup(), 2_300))).toBe('hole');
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

  it('opens as well for those of a gateway that counts nothing and cannot contradict', () => {
    const balancer = aBalancer();
    balancer.report(lacking(aReport('sh', { cpu: 0 }), 'acceptedTotal', 'connections'), 0);
    for (const seq of [1, 2]) {
      balancer.report(aReport('b', { seq, cpu: 0.4, tickets: { [HERALD]: { admitted: seq } } }), 0);
    }
    for (let i = 0; i < 8; i++) {
      const verdict = balancer.lookup(aLookup(), 10);
      if (!verdict.ok) throw new Error(verdict.detail);
      const failedTicket = failed(verdict.best.ticketSeq);
      balancer.lookup(aLookup({ exclude: [verdict.best.gateway], failedTicket }), 10);
    }
    expect(breakerOf(balancer, 'sh', 10)).toBe('open');
    expect(breakerOf(balancer, 'b', 10)).toBe('closed');
  });

  it('opens as well before anybody got in anywhere, and forgets that when somebody does', () => {
    const balancer = aBalancer();
    for (const id of ['hole', 'b']) balancer.report(aReport(id, { cpu: id === 'hole' ? 0 : 0.4 }), 0);
    for (let i = 0; i < 8; i++) {
      const verdict = balancer.lookup(aLookup({ exclude: ['b'] }), 10);
      if (!verdict.ok) throw new Error(verdict.detail);
      expect(breakerOf(balancer, 'hole', 10)).toBe('closed');
      balancer.lookup(aLookup({ exclude: ['hole'], failedTicket: failed(verdict.best.ticketSeq) }), 10);
    }
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(named(balancer.lookup(aLookup(), 20))).toBe('b');
    balancer.report(aReport('b', { seq: 2, cpu: 0.4, tickets: { [HERALD]: { admitted: 1 } } }), 500);
    expect(breakerOf(balancer, 'hole', 500)).toBe('closed');
  });

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

  it('lets three trial tickets through after ten seconds; one acceptance closes it', () => {
    const { balancer, fail } = blackHole();
    fail(8, 10);
    const passTo = passing(balancer);
    passTo(500, 10_500);
    expect(breakerOf(balancer, 'hole', 10_500)).toBe('trial');
    expect(shares(balancer, 200, 10_500).get('hole')).toBe(3);
    expect(breakerOf(balancer, 'hole', 10_500)).toBe('open');
    balancer.report(
      aReport('hole', { seq: 10_600, cpu: 0, tickets: { [HERALD]: { admitted: 1 } }, acceptedTotal: 501 }),
      10_600,
    );
    expect(breakerOf(balancer, 'hole', 10_600)).toBe('closed');
  });

  it('is not closed by clients that came without a ticket, where only accepts are counted', () => {
    const { balancer, fail } = blackHole();
    fail(8, 10);
    const passTo = passing(balancer, (nowMs) => ({ acceptedTotal: 500 + nowMs / 500 }));
    passTo(500, 9_500);
    expect(breakerOf(balancer, 'hole', 9_500)).toBe('open');
    passTo(10_000, 12_000);
    expect(breakerOf(balancer, 'hole', 12_000)).toBe('trial');
    expect(shares(balancer, 200, 12_000).get('hole')).toBe(3);
    passTo(12_500, 12_500);
    expect(breakerOf(balancer, 'hole', 12_500)).toBe('closed');
  });

  it('opens for twice as long when the trial fails', () => {
    const { balancer, fail } = blackHole();
    fail(8, 0);
    balancer.tick(500);
    for (let nowMs = 1_000; nowMs <= 10_000; nowMs += 500) balancer.tick(nowMs);
    for (const id of ['hole', 'b', 'c', 'd'])
      balancer.report(aReport(id, { seq: 2, cpu: id === 'hole' ? 0 : 0.4 }), 10_001);
    fail(1, 10_002);
    expect(breakerOf(balancer, 'hole', 10_002)).toBe('open');
    for (let nowMs = 10_500; nowMs <= 29_500; nowMs += 500) balancer.tick(nowMs);
    expect(breakerOf(balancer, 'hole', 29_500)).toBe('open');
    balancer.tick(30_100);
    expect(breakerOf(balancer, 'hole', 30_100)).toBe('trial');
  });

  it('opens for twice as long when nothing is heard of the trial tickets, up to five minutes', () => {
    let breaker = breakerFailed(newBreaker(), 8, 0);
    let nowMs = 0;
    for (const openMs of [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]) {
      expect(breaker.state).toBe('open');
      expect(breakerAt(breaker, nowMs + openMs - 1)).toBe(breaker);
      nowMs += openMs;
      breaker = breakerAt(breaker, nowMs);
      expect(breaker.state).toBe('trial');
      expect(breakerAt(breaker, nowMs + 60_000)).toBe(breaker);
      for (let i = 0; i < 3; i++) breakerTried(breaker, nowMs);
      expect(breakerAt(breaker, nowMs + 14_999)).toBe(breaker);
      nowMs += 15_000;
      breaker = breakerAt(breaker, nowMs);
    }
    // A gateway that works again is shut out for half as long the next time.
    breaker = breakerFailed(breakerAccepted(breaker), 10, nowMs);
    expect(breakerAt(breaker, nowMs + 149_999).state).toBe('open');
    expect(breakerAt(breaker, nowMs + 150_000).state).toBe('trial');
  });

  it('forgets failures that one acceptance makes up for, and with each report a tenth of the others', () => {
    const breaker = breakerFailed(breakerAccepted(breakerFailed(newBreaker(), 7, 0)), 7, 0);
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 10; i++) fadeBreaker(breaker);
    expect(breakerFailed(breaker, 5.4, 0).state).toBe('closed');
    expect(breakerFailed(breaker, 0.2, 0).state).toBe('open');
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
      [2, 3_000],
      [3, 3_500],
    ] as const) {
      for (const id of ['b', 'c', 'd']) {
        const tickets = { [HERALD]: { admitted: 20 * seq } };
        balancer.report(aReport(id, { seq, cpu: 0.4, tickets }), nowMs);
      }
      balancer.report(aReport('hole', { seq, cpu: 0, ...(seq === 2 && { pool: 'other' }) }), nowMs);
    }
    expect(fail(8, 3_600)).toBe(8);
    expect(breakerOf(balancer, 'hole', 3_600)).toBe('closed');
  });

  it.each([
    ['most', ['hole', 'b', 'c'], 0.95, ['hole', 'b', 'c']],
    ['half', ['hole', 'b'], 0.95, []],
    ['most, and one of the others has room', ['hole', 'b', 'c'], 0.6, ['d']],
  ])('is not obeyed where those of %s are open, nor is the limit of the others', (_, shut, cpu, expected) => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    for (const id of shut)
      balancer.report(lacking(aReport(id, { cpu: 0.3 }), 'acceptedTotal', 'connections'), 0);
    for (let i = 0; i < 400; i++) {
      const verdict = balancer.lookup(aLookup(), 10);
      if (!verdict.ok) break;
      const { gateway, ticketSeq } = verdict.best;
      balancer.lookup(aLookup({ exclude: [gateway], failedTicket: failed(ticketSeq) }), 10);
    }
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

  it('is not obeyed where those of most are open, however many of the others are too loaded', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    const shut = Array.from({ length: 50 }, (_, i) => `hole-${i}`);
    for (const id of shut)
      balancer.report(lacking(aReport(id, { cpu: 0.3 }), 'acceptedTotal', 'connections'), 0);
    for (let i = 0; i < 5_000; i++) {
      const verdict = balancer.lookup(aLookup(), 10);
      if (!verdict.ok) break;
      const { gateway, ticketSeq } = verdict.best;
      balancer.lookup(aLookup({ exclude: [gateway], failedTicket: failed(ticketSeq) }), 10);
    }
    for (const id of shut) expect(breakerOf(balancer, id, 20)).toBe('open');
    for (let i = 0; i < 40; i++) balancer.report(aReport(`full-${i}`, { cpu: 0.95 }), 20);
    for (let i = 0; i < 30; i++) {
      const verdict = balancer.lookup(aLookup(), 200 + i);
      expect(verdict.ok && verdict.best.gateway).toMatch(/^hole-/);
    }
  });

  it('stays closed for words against a new boot, before its share of the clients could reach it', () => {
    const { balancer, fail } = blackHole();
    balancer.report(aReport('hole', { seq: 1, bootId: 'boot-2', cpu: 0 }), 5);
    fail(20, 10);
    expect(breakerOf(balancer, 'hole', 10)).toBe('closed');
  });

  it('is not obeyed where it shuts out all that have the required label', () => {
    const balancer = aBalancer();
    const gold = aReport('hole', { cpu: 0.3, labels: { plan: 'gold' } });
    balancer.report(lacking(gold, 'acceptedTotal', 'connections'), 0);
    for (const id of ['b', 'c', 'd']) balancer.report(aReport(id, { cpu: 0.3 }), 0);
    const labels = { plan: 'gold' };
    for (let i = 0; i < 8; i++) {
      const verdict = balancer.lookup(aLookup({ labels }), 10);
      if (!verdict.ok) throw new Error(verdict.detail);
      const failedTicket = failed(verdict.best.ticketSeq);
      balancer.lookup(aLookup({ exclude: ['hole'], failedTicket }), 10);
    }
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(named(balancer.lookup(aLookup({ labels }), 200))).toBe('hole');
    expect(shares(balancer, 100, 200).has('hole')).toBe(false);
  });

  it('stays closed for words on a gateway that only another Herald hears', () => {
    const balancer = aBalancer();
    const other = aBalancer({ heraldId: 'h2' });
    for (const id of ['far', 'near']) other.report(aReport(id, { cpu: 0.1 }), 0);
    balancer.mergeRows(other.rows(0), 0);
    for (let i = 0; i < 20; i++) {
      const verdict = balancer.lookup(aLookup({ exclude: ['near'] }), 10);
      if (!verdict.ok) throw new Error(verdict.detail);
      balancer.lookup(aLookup({ exclude: ['far'], failedTicket: failed(verdict.best.ticketSeq) }), 10);
    }
    expect(breakerOf(balancer, 'far', 10)).toBe('closed');
  });

  it('stays closed for tickets of a gateway that only another Herald hears', () => {
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
  });

  it('opens for tickets that never arrive while those of others do', () => {
    const balancer = aBalancer();
    let admitted = 0;
    const seen: string[] = [];
    for (let nowMs = 0; nowMs <= 14_000; nowMs += 100) {
      if (nowMs % 500 === 0) {
        balancer.report(aReport('hole', { seq: 1 + nowMs, cpu: 0.1 }), nowMs);
        const tickets = { [HERALD]: { admitted } };
        balancer.report(aReport('good', { seq: 1 + nowMs, cpu: 0.1, tickets }), nowMs);
      }
      balancer.tick(nowMs);
      for (let i = 0; i < 2; i++) {
        const gateway = named(balancer.lookup(aLookup(), nowMs));
        if (gateway === 'good') admitted++;
        seen.push(breakerOf(balancer, 'hole', nowMs));
      }
    }
    expect(seen).toContain('open');
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
