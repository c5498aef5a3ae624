import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport, HERALD, named, runFleet } from './given.ts';

const oneHot = (index: number): number => (index === 0 ? 0.85 : 0.5);

describe('the mover', () => {
  it('orders a gateway that stays 0.1 above the mean to hand over what lifts it, at 2 % a minute', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const orders = runFleet(balancer, 10, 120, oneHot);
    expect(new Set(orders.map((order) => order.gateway))).toEqual(new Set(['gw-0']));
    expect(orders[0]!.sec).toBeGreaterThanOrEqual(30);
    expect(orders[0]!.work).toBeCloseTo(0.85 - 0.535, 1);
    expect(orders[0]!.spreadMs).toBe(9_000);
    const told = orders.reduce((sum, order) => sum + order.count, 0);
    expect(told).toBeGreaterThan(15);
    expect(told).toBeLessThanOrEqual(40);
  });

  it('goes on until it is 0.04 above the mean', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const sinking = (i: number, sec: number): number =>
      i > 0 ? 0.5 : sec < 60 ? 0.85 : sec < 120 ? 0.58 : 0.53;
    const orders = runFleet(balancer, 10, 180, sinking);
    expect(orders.some(({ sec }) => sec > 90 && sec < 120)).toBe(true);
    expect(orders.every(({ sec }) => sec < 135)).toBe(true);
  });

  it('hurries when a gateway is above 0.90', () => {
    const count = (hot: number): number => {
      const balancer = aBalancer();
      balancer.setMoverLease(true);
      return runFleet(balancer, 10, 90, (i) => (i === 0 ? hot : 0.5)).reduce(
        (sum, order) => sum + order.count,
        0,
      );
    };
    expect(count(1.1)).toBeGreaterThan(3 * count(0.85));
  });

  it('fills an empty newcomer from those above the mean', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    const orders = runFleet(
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
    runFleet(balancer, 8, 120, (i, sec) => (i === 7 ? Math.min(0.57, 0.05 + sec / 100) : 0.6));
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
    expect(runFleet(balancer, 10, 120, wobble)).toEqual([]);
  });

  it('decides but orders nothing in a dry run, and nothing at all without the lease or when off', () => {
    const dry = aBalancer({ defaultPool: { mover: 'dry-run' } });
    dry.setMoverLease(true);
    expect(runFleet(dry, 10, 60, oneHot)).toEqual([]);
    expect(dry.moverOrders().length).toBeGreaterThan(0);
    expect(dry.moverOrders().every((order) => order.state === 'dry')).toBe(true);

    const leaseless = aBalancer();
    expect(runFleet(leaseless, 10, 60, oneHot)).toEqual([]);
    expect(leaseless.moverOrders()).toEqual([]);

    const off = aBalancer({ defaultPool: { mover: 'off' } });
    off.setMoverLease(true);
    expect(runFleet(off, 10, 60, oneHot)).toEqual([]);
  });

  it('stops at once: an order that was decided and not fetched lapses', () => {
    const balancer = aBalancer();
    balancer.setMoverLease(true);
    runFleet(balancer, 10, 29.9, oneHot);
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
    runFleet(balancer, 10, 29.9, oneHot);
    for (let nowMs = 30_000; nowMs < 120_000; nowMs += 100) balancer.tick(nowMs);
    expect(balancer.isFrozen()).toBe(true);
    const verdict = balancer.report(aReport('gw-0', { seq: 99_999, cpu: 0.1 }), 120_000);
    expect(verdict).not.toHaveProperty('directive');
    expect(balancer.moverOrders().map((order) => order.state)).toEqual(['lapsed']);
  });

  it.each([0.5, 0.2])(
    'takes nothing from a gateway at %d for its open breaker, and sends it nobody',
    (cpu) => {
      const balancer = aBalancer();
      balancer.setMoverLease(true);
      const admitted = [0, 0, 0, 0];
      let toldOpen = 0;
      for (let nowMs = 0; nowMs <= 120_000; nowMs += 100) {
        for (let i = 0; i < 4 && nowMs % 500 === 0; i++) {
          const tickets = { [HERALD]: { admitted: admitted[i]! } };
          const fields = { cpu: i === 0 ? cpu : 0.5, connections: 2_000, tickets };
          balancer.report(aReport(`gw-${i}`, { seq: 1 + nowMs, ...fields }), nowMs);
        }
        balancer.tick(nowMs);
        for (let i = 0; i < 2; i++) {
          const found = Number(named(balancer.lookup(aLookup(), nowMs)).slice(3));
          if (found !== 0) admitted[found]!++;
        }
        if (balancer.gateway('gw-0', nowMs)!.breaker === 'open') toldOpen++;
      }
      expect(toldOpen).toBeGreaterThan(700);
      expect(balancer.moverOrders()).toEqual([]);
    },
  );
});
