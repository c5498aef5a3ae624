import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport, named, shares } from './given.ts';

describe('a lookup', () => {
  it('says that there is no gateway when none has reported, and gives each caller its own time to come back', () => {
    const balancer = aBalancer();
    const waits = Array.from({ length: 100 }, () => {
      const verdict = balancer.lookup(aLookup(), 0);
      expect(verdict).toMatchObject({ ok: false, code: 'no-gateways' });
      return verdict.ok ? 0 : verdict.retryAfterMs;
    });
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_000);
    expect(new Set(waits).size).toBeGreaterThan(80);
  });

  it('names a gateway at once after its first report', () => {
    const balancer = aBalancer();
    balancer.report(aReport('a'), 0);
    expect(named(balancer.lookup(aLookup(), 0))).toBe('a');
  });

  it('names the URL that the gateway announced last', () => {
    const balancer = aBalancer();
    for (const [seq, url] of ['ws://old.test/ws', 'ws://new.test/ws'].entries()) {
      balancer.report(aReport('a', { seq, url }), seq);
      expect(balancer.lookup(aLookup(), seq)).toMatchObject({ ok: true, best: { url } });
    }
  });

  it('prefers the less loaded gateway', () => {
    const balancer = aBalancer();
    balancer.report(aReport('hot', { cpu: 0.8 }), 0);
    balancer.report(aReport('cool', { cpu: 0.2 }), 0);
    const found = shares(balancer, 50, 0);
    expect(found.get('cool')! > 5 * (found.get('hot') ?? 0)).toBe(true);
  });

  it('gives each pick its own ticket number and offers alternates other than the best', () => {
    const balancer = aBalancer();
    for (const id of ['a', 'b', 'c', 'd']) balancer.report(aReport(id), 0);
    const verdict = balancer.lookup(aLookup({ alternates: 3 }), 0);
    if (!verdict.ok) throw new Error(verdict.detail);
    const picks = [verdict.best, ...verdict.alternates];
    expect(new Set(picks.map((pick) => pick.gateway)).size).toBe(4);
    expect(new Set(picks.map((pick) => pick.ticketSeq)).size).toBe(4);
  });
});
