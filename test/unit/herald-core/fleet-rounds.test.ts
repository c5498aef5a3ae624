import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { ShedOrder } from '../../../src/protocol/load-report.ts';
import { aBalancer, aLookup, aReport, HERALD } from './given.ts';

/** Runs a fleet whose gateways report `cpuOf(i)` every 500 ms; collects the orders it gets. */
function run(
  balancer: Balancer,
  count: number,
  seconds: number,
  cpuOf: (index: number, sec: number) => number,
  connectionsOf: (index: number) => number = () => 1_000,
): (ShedOrder & { gateway: string; sec: number })[] {
  const orders: (ShedOrder & { gateway: string; sec: number })[] = [];
  for (let nowMs = 0; nowMs <= seconds * 1_000; nowMs += 100) {
    if (nowMs % 500 === 0) {
      for (let i = 0; i < count; i++) {
        const gateway = `gw-${i}`;
        const fields = { seq: 1 + nowMs, cpu: cpuOf(i, nowMs / 1_000), connections: connectionsOf(i) };
        const verdict = balancer.report(aReport(gateway, fields), nowMs);
        if (verdict.taken && verdict.directive && 'shed' in verdict.directive) {
          orders.push({ ...verdict.directive.shed, gateway, sec: nowMs / 1_000 });
        }
      }
    }
    balancer.tick(nowMs);
  }
  return orders;
}

const oneHot = (index: number): number => (index === 0 ? 0.85 : 0.5);

describe('the mover', () => {
  it('orders a gateway that stays 0.1 above the mean to hand over what lifts it, at 2 % a minute', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const orders = run(balancer, 10, 120, oneHot);
    expect(new Set(orders.map((order) => order.gateway))).toEqual(new Set(['gw-0']));
    expect(orders[0]!.sec).toBeGreaterThanOrEqual(30);
    expect(orders[0]!.work).toBeCloseTo(0.85 - 0.535, 1);
    expect(orders[0]!.spreadMs).toBe(9_000);
    const told = orders.reduce((sum, order) => sum + order.count, 0);
    expect(told).toBeGreaterThan(15);
    expect(told).toBeLessThanOrEqual(40);
  });

  it('hurries when a gateway is above 0.90', () => {
    const count = (hot: number): number => {
      const balancer = aBalancer();
      balancer.setMoverLease(true);
      return run(balancer, 10, 90, (i) => (i === 0 ? hot : 0.5)).reduce((sum, order) => sum + order.count, 0);
    };
    expect(count(1.1)).toBeGreaterThan(3 * count(0.85));
  });

  it('fills an empty newcomer from those above the mean', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const orders = run(
      balancer,
      8,
      60,
      (i) => (i === 7 ? 0.02 : 0.6),
      (i) => (i === 7 ? 5 : 3_000),
    );
    expect(orders.length).toBeGreaterThan(0);
    expect(orders.every((order) => order.gateway !== 'gw-7')).toBe(true);
    expect(balancer.moverOrders().some((order) => order.why === 'receivers')).toBe(true);
  });

  it('stops filling a newcomer two rounds after it has come near the mean', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    run(balancer, 8, 120, (i, sec) => (i === 7 ? Math.min(0.57, 0.05 + sec / 100) : 0.6));
    const filling = balancer.moverOrders().filter(({ why }) => why === 'receivers');
    expect(filling.length).toBeGreaterThan(0);
    expect(filling.at(-1)!.atMs).toBeLessThanOrEqual(70_000);
  });

  it.each([
    ['connect', 50, 0, false],
    ['move', 50, 0, true],
    ['connect', 200, 0, true],
    ['connect', 200, 9, false],
  ] as const)(
    'fills nobody whom arrivals fill within the minute: %s, one in %d ms, %d as many at other Heralds',
    (intent, everyMs, others, filled) => {
      const balancer = aBalancer();
      balancer.setMoverLease(true);
      const admitted = [0, 0, 0, 0];
      let unreported = [0, 0, 0, 0];
      for (let nowMs = 0; nowMs <= 60_000; nowMs += 50) {
        if (nowMs % 500 === 0) {
          for (let i = 0; i < 4; i++) {
            admitted[i]! += unreported[i]!;
            const fields = {
              cpu: i === 3 ? 0.3 : 0.6,
              connections: 1_000,
              tickets: { [HERALD]: { admitted: admitted[i]! }, h2: { admitted: others * admitted[i]! } },
            };
            balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, ...fields }), nowMs);
          }
          unreported = [0, 0, 0, 0];
        }
        balancer.tick(nowMs);
        if (nowMs % everyMs !== 0) continue;
        const verdict = balancer.lookup(aLookup({ intent }), nowMs);
        if (verdict.ok) unreported[Number(verdict.best.gateway.slice(3))]!++;
      }
      expect(balancer.moverOrders().some(({ why }) => why === 'receivers')).toBe(filled);
    },
  );

  it('leaves an even fleet alone, and one that is uneven for a moment', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const wobble = (i: number, sec: number): number => (Math.floor(sec / 10) % 10 === i ? 0.68 : 0.6);
    expect(run(balancer, 10, 120, wobble)).toEqual([]);
  });

  it('decides but orders nothing in a dry run, and nothing at all without the lease or when off', () => {
    const dry = aBalancer({ defaultPool: { mover: 'dry-run' } });
    dry.setMoverLease(true);
    expect(run(dry, 10, 60, oneHot)).toEqual([]);
    expect(dry.moverOrders().length).toBeGreaterThan(0);
    expect(dry.moverOrders().every((order) => order.state === 'dry')).toBe(true);

    const leaseless = aBalancer();
    expect(run(leaseless, 10, 60, oneHot)).toEqual([]);
    expect(leaseless.moverOrders()).toEqual([]);

    const off = aBalancer({ defaultPool: { mover: 'off' } });
    off.setMoverLease(true);
    expect(run(off, 10, 60, oneHot)).toEqual([]);
  });

  it('stops at once: an order that was decided and not fetched lapses', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    run(balancer, 10, 29.9, oneHot);
    balancer.tick(30_000);
    balancer.setMoverMode('off');
    expect(balancer.moverOrders().map((order) => order.state)).toEqual(['lapsed']);
    const verdict = balancer.report(aReport('gw-0', { seq: 99_999, cpu: 0.85 }), 30_001);
    expect(verdict).not.toHaveProperty('directive');
  });

  it('remembers the orders of all pools in the order of their time', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    for (let nowMs = 0; nowMs <= 90_000; nowMs += 100) {
      for (const pool of nowMs < 5_000 ? ['a'] : ['a', 'b']) {
        if (nowMs % 500 !== 0) continue;
        for (let i = 0; i < 5; i++) {
          const fields = { seq: 1 + nowMs, pool, cpu: oneHot(i), connections: 1_000 };
          balancer.report(aReport(`${pool}-${i}`, fields), nowMs);
        }
      }
      balancer.tick(nowMs);
    }
    const orders = balancer.moverOrders();
    expect(new Set(orders.map(({ pool }) => pool))).toEqual(new Set(['a', 'b']));
    expect(orders.map(({ atMs }) => atMs)).toEqual(orders.map(({ atMs }) => atMs).sort((a, b) => a - b));
  });

  it('gives nobody an order from before the whole pool fell silent', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    run(balancer, 10, 29.9, oneHot);
    for (let nowMs = 30_000; nowMs < 120_000; nowMs += 100) balancer.tick(nowMs);
    expect(balancer.isFrozen()).toBe(true);
    const verdict = balancer.report(aReport('gw-0', { seq: 99_999, cpu: 0.1 }), 120_000);
    expect(verdict).not.toHaveProperty('directive');
    expect(balancer.moverOrders().map((order) => order.state)).toEqual(['lapsed']);
  });
});

describe('advice on the size', () => {
  it('goes up at once with the load', () => {
    const balancer = aBalancer();
    run(
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
    run(
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

  it('provides for growth before it is there', () => {
    const balancer = aBalancer();
    run(
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
    run(
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
    run(balancer, 6, 350, idle, (i) => (i === 3 ? 250 : 500));
    expect(balancer.autoscale(350_000, 'default').desired).toBe(6);
    const later = aBalancer();
    run(later, 6, 400, idle, (i) => (i === 3 ? 250 : 500));
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
    run(
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
});

describe('the agent weight', () => {
  const weight = (balancer: Balancer, nowMs: number): number =>
    balancer.agentAnswer('gw-0', nowMs).weightPercent;

  it('follows 1 - load smoothly, in steps of at least two points', () => {
    const balancer = aBalancer();
    const seen: number[] = [];
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 100) {
      if (nowMs % 500 === 0)
        balancer.report(aReport('gw-0', { seq: 1 + nowMs, cpu: 0.6, connections: 3_000 }), nowMs);
      balancer.tick(nowMs);
      seen.push(weight(balancer, nowMs));
    }
    const steps = seen.slice(1).map((value, i) => Math.abs(value - seen[i]!));
    expect(steps.every((step) => step === 0 || step >= 2)).toBe(true);
    expect(Math.max(...steps)).toBeLessThan(20);
    expect(seen.at(-1)!).toBeGreaterThan(35);
    expect(seen.at(-1)!).toBeLessThan(45);
  });

  it('halves for a squeezed gateway at the next question, between two rounds, and returns smoothly', () => {
    const balancer = aBalancer();
    const calm = (): number => 0.2;
    run(balancer, 1, 20, calm);
    const before = weight(balancer, 20_000);
    balancer.report(aReport('gw-0', { seq: 100_000, cpu: 0.95, connections: 3_000 }), 20_010);
    expect(weight(balancer, 20_020)).toBeLessThan(before / 2);
    const seen: number[] = [];
    for (let nowMs = 20_100; nowMs <= 35_000; nowMs += 100) {
      if (nowMs % 500 === 0)
        balancer.report(aReport('gw-0', { seq: 100_001 + nowMs, cpu: 0.2, connections: 3_000 }), nowMs);
      balancer.tick(nowMs);
      seen.push(weight(balancer, nowMs));
    }
    expect(Math.max(...seen.slice(1).map((value, i) => value - seen[i]!))).toBeLessThan(20);
    // A step a round of 500 ms, not one a tick.
    const changedAt = seen.flatMap((value, i) => (i > 0 && value !== seen[i - 1] ? [i] : []));
    const ticksBetween = changedAt.slice(1).map((at, i) => at - changedAt[i]!);
    expect(Math.min(...ticksBetween)).toBe(5);
    expect(seen.at(-1)!).toBeGreaterThanOrEqual(before - 4);
  });

  it('never falls below 1 and is a whole number', () => {
    const balancer = aBalancer();
    run(balancer, 1, 20, () => 3);
    expect(weight(balancer, 20_000)).toBe(1);
  });

  it('answers every state in words', () => {
    const balancer = aBalancer();
    expect(balancer.agentAnswer('gw-0', 0)).toMatchObject({ health: 'up', admin: 'ready' });
    balancer.report(aReport('gw-0'), 0);
    expect(balancer.agentAnswer('nobody', 10_000)).toMatchObject({
      health: 'down',
      reason: 'unknown gateway',
    });
    expect(balancer.agentAnswer('gw-0', 10_000)).toMatchObject({
      health: 'down',
      reason: 'no report for 10 s',
    });
    balancer.report(aReport('gw-0', { seq: 2 }), 10_000);
    balancer.suspect('gw-0', 10_001);
    expect(balancer.agentAnswer('gw-0', 10_002)).toMatchObject({
      health: 'down',
      reason: 'report connection lost',
    });
    balancer.report(aReport('gw-0', { seq: 3, state: 'draining' }), 10_003);
    expect(balancer.agentAnswer('gw-0', 10_004)).toMatchObject({ admin: 'drain', health: 'up' });
    for (const state of ['maint', 'drain'] as const) {
      balancer.setDesired('gw-0', { state, reason: 'disk', author: 'ops', untilEpochMs: 0 }, 10_005);
      expect(balancer.agentAnswer('gw-0', 10_006)).toMatchObject({ admin: state, reason: 'disk' });
    }
  });
});
