import { describe, expect, it } from 'vitest';
import {
  breakerAccepted,
  breakerAt,
  breakerFailed,
  breakerTried,
  fadeBreaker,
  newBreaker,
} from '../../../src/herald/core/breaker.ts';
import { blackHole, breakerOf, passing, turnedAway } from './black-hole.ts';
import { aBalancer, aLookup, aReport, HERALD, lacking, named, shares } from './given.ts';

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

  it('opens as well for those of a gateway that counts nothing and cannot contradict', () => {
    const balancer = aBalancer();
    balancer.report(lacking(aReport('sh', { cpu: 0 }), 'acceptedTotal', 'connections'), 0);
    for (const seq of [1, 2]) {
      balancer.report(aReport('b', { seq, cpu: 0.4, tickets: { [HERALD]: { admitted: seq } } }), 0);
    }
    for (let i = 0; i < 8; i++) turnedAway(balancer, 10);
    expect(breakerOf(balancer, 'sh', 10)).toBe('open');
    expect(breakerOf(balancer, 'b', 10)).toBe('closed');
  });

  it('opens as well before anybody got in anywhere, and forgets that when somebody does', () => {
    const balancer = aBalancer();
    for (const id of ['hole', 'b']) balancer.report(aReport(id, { cpu: id === 'hole' ? 0 : 0.4 }), 0);
    for (let i = 0; i < 8; i++) {
      expect(breakerOf(balancer, 'hole', 10)).toBe('closed');
      turnedAway(balancer, 10, { exclude: ['b'] });
    }
    expect(breakerOf(balancer, 'hole', 10)).toBe('open');
    expect(named(balancer.lookup(aLookup(), 20))).toBe('b');
    balancer.report(aReport('b', { seq: 2, cpu: 0.4, tickets: { [HERALD]: { admitted: 1 } } }), 500);
    expect(breakerOf(balancer, 'hole', 500)).toBe('closed');
  });

  it('takes more connections for clients let in only as far as tickets are on their way, and not while it is open', () => {
    const balancer = aBalancer();
    const report = (seq: number, connections: number): void => {
      const fields = { seq, connections, cpu: 0 };
      balancer.report(lacking(aReport('sh', fields), 'acceptedTotal'), 10 * seq);
    };
    balancer.report(aReport('b'), 0);
    report(1, 5);
    // Nobody was sent there: these are no clients of Herald's.
    report(2, 9);
    expect(named(balancer.lookup(aLookup({ exclude: ['b'] }), 25))).toBe('sh');
    for (let i = 0; i < 8; i++) turnedAway(balancer, 25, { exclude: ['b'] });
    expect(breakerOf(balancer, 'sh', 25)).toBe('open');
    report(3, 13);
    expect(breakerOf(balancer, 'sh', 30)).toBe('open');
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

  it('waits for the last trial ticket as long as for the first', () => {
    const breaker = breakerAt(breakerFailed(newBreaker(), 8, 0), 10_000);
    for (const nowMs of [10_000, 10_000, 24_000]) breakerTried(breaker, nowMs);
    expect(breakerAt(breaker, 38_999).state).toBe('trial');
    expect(breakerAt(breaker, 39_000).state).toBe('open');
  });

  it('forgets failures that one acceptance makes up for, and with each report a tenth of the others', () => {
    const breaker = breakerFailed(breakerAccepted(breakerFailed(newBreaker(), 7, 0)), 7, 0);
    expect(breaker.state).toBe('closed');
    for (let i = 0; i < 10; i++) fadeBreaker(breaker);
    expect(breakerFailed(breaker, 5.4, 0).state).toBe('closed');
    expect(breakerFailed(breaker, 0.2, 0).state).toBe('open');
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
});
