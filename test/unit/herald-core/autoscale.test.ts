import { describe, expect, it } from 'vitest';
import { aBalancer, aReport, runFleet } from './given.ts';

describe('advice on the size', () => {
  it('goes up at once with the load', () => {
    const balancer = aBalancer();
    runFleet(
      balancer,
      4,
      10,
      () => 0.5,
      () => 2_500,
    );
    const calm = balancer.autoscale(10_000, 'default');
    expect(calm).toMatchObject({ current: 4, target: 0.7 });
    expect(calm.desired).toBe(4);
    const busy = aBalancer();
    runFleet(
      busy,
      4,
      10,
      () => 0.85,
      () => 4_000,
    );
    const more = busy.autoscale(10_000, 'default');
    expect(more.desired).toBeGreaterThanOrEqual(5);
    expect(more.reason).toBe('load or its growth needs more gateways');
  });

  it('leaves room for the loss of one gateway', () => {
    const balancer = aBalancer();
    runFleet(balancer, 2, 10, () => 0.6);
    expect(balancer.autoscale(10_000, 'default').desired).toBe(3);
  });

  it('does not see a falling load go on falling', () => {
    const balancer = aBalancer();
    runFleet(balancer, 10, 700, (_i, sec) => 0.81 - sec / 2_000);
    expect(balancer.autoscale(700_000, 'default').desired).toBe(10);
  });

  it('provides for growth before it is there', () => {
    const balancer = aBalancer();
    runFleet(
      balancer,
      4,
      120,
      (_i, sec) => 0.3 + sec / 400,
      () => 3_000,
    );
    const advice = balancer.autoscale(120_000, 'default');
    expect(advice.desired).toBeGreaterThan(Math.ceil(advice.loadSum / 0.7));
  });

  it('forgets growth that ended minutes ago', () => {
    const balancer = aBalancer();
    runFleet(
      balancer,
      4,
      700,
      (_i, sec) => Math.min(0.635, 0.3 + sec / 400),
      () => 3_000,
    );
    expect(balancer.autoscale(700_000, 'default')).toMatchObject({ desired: 4, reason: 'fits' });
  });

  it('goes down one at a time after six minutes, naming the smallest to drain', () => {
    const balancer = aBalancer();
    const idle = (i: number): number => (i === 3 ? 0.05 : 0.1);
    runFleet(balancer, 6, 350, idle, (i) => (i === 3 ? 250 : 500));
    expect(balancer.autoscale(350_000, 'default').desired).toBe(6);
    const later = aBalancer();
    runFleet(later, 6, 400, idle, (i) => (i === 3 ? 250 : 500));
    const advice = later.autoscale(400_000, 'default');
    expect(advice.desired).toBeLessThan(6);
    expect(advice.desired).toBeGreaterThanOrEqual(4);
    expect(advice.drainCandidates[0]).toBe('gw-3');
    expect(advice.reason).toBe('the load of the last six minutes fits fewer gateways');
  });

  it('advises nobody away when a Herald has just started and meets its fleet one by one', () => {
    const balancer = aBalancer();
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 100) {
      for (let i = 0; i < 20; i++) {
        if (nowMs % 500 !== 100 * (i % 5)) continue;
        balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, cpu: 0.5, connections: 2_500 }), nowMs);
      }
      balancer.tick(nowMs);
      const { desired, current, drainCandidates } = balancer.autoscale(nowMs, 'default');
      expect(desired, `at ${nowMs} ms`).toBeGreaterThanOrEqual(current);
      expect(drainCandidates).toEqual([]);
    }
  });

  it('says why', () => {
    const balancer = aBalancer();
    const reason = (nowMs: number): string => balancer.autoscale(nowMs, 'default').reason;
    balancer.report(aReport('gw-0'), 0);
    expect(reason(0)).toBe('too early to say');
    runFleet(
      balancer,
      4,
      10,
      () => 0.5,
      () => 2_500,
    );
    expect(reason(10_000)).toBe('fits');
    for (let i = 0; i < 4; i++) balancer.leave(`gw-${i}`, 10_001);
    expect(reason(10_002)).toBe('no gateway reports');
  });

  it('says so when there is nothing to advise on', () => {
    expect(aBalancer().autoscale(0, 'nowhere')).toMatchObject({
      desired: 0,
      current: 0,
      reason: 'no pool nowhere',
    });
  });

  it('takes it for no growth that a Herald which has just started meets its fleet one by one', () => {
    const balancer = aBalancer();
    for (let nowMs = 0; nowMs <= 150_000; nowMs += 100) {
      for (let i = 0; i < 20; i++) {
        // Two of them find the new Herald late.
        if (nowMs % 500 !== 100 * (i % 5) || nowMs < (i < 18 ? 0 : 12_000)) continue;
        balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, cpu: 0.55, connections: 2_750 }), nowMs);
      }
      balancer.tick(nowMs);
      if (nowMs > 12_500) expect(balancer.autoscale(nowMs, 'default').desired, `at ${nowMs} ms`).toBe(20);
    }
  });

  it('takes no growth from before a long silence', () => {
    const balancer = aBalancer();
    const cpuOf = (_i: number, sec: number): number => (sec <= 100 ? 0.35 : 0.55);
    runFleet(balancer, 10, 100, cpuOf, () => 2_000);
    for (let nowMs = 100_000; nowMs < 300_000; nowMs += 100) balancer.tick(nowMs);
    expect(balancer.isFrozen()).toBe(true);
    for (let nowMs = 300_000; nowMs <= 340_000; nowMs += 100) {
      for (let i = 0; i < 10 && nowMs % 500 === 0; i++) {
        balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, cpu: 0.55, connections: 2_000 }), nowMs);
      }
      balancer.tick(nowMs);
      if (balancer.isFrozen()) continue;
      expect(balancer.autoscale(nowMs, 'default').desired, `at ${nowMs} ms`).toBe(10);
    }
  });
});
