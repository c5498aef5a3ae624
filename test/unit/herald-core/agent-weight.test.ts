import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aReport, fleet, runFleet } from './given.ts';

describe('the agent weight', () => {
  const weight = (balancer: Balancer, nowMs: number): number =>
    balancer.agentAnswer('gw-0', nowMs).weightPercent;
  /** One each tick, while it reports `cpu` twice a second. */
  const weights = (balancer: Balancer, fromMs: number, toMs: number, cpu: number): number[] => {
    const seen: number[] = [];
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) {
      const report = aReport('gw-0', { seq: 200_000 + nowMs, cpu, connections: 3_000 });
      if (nowMs % 500 === 0) balancer.report(report, nowMs);
      balancer.tick(nowMs);
      seen.push(weight(balancer, nowMs));
    }
    return seen;
  };

  it('follows 1 - load smoothly, in steps of at least two points', () => {
    const balancer = aBalancer();
    const seen = weights(balancer, 0, 20_000, 0.6);
    const steps = seen.slice(1).map((value, i) => Math.abs(value - seen[i]!));
    expect(steps.every((step) => step === 0 || step >= 2)).toBe(true);
    expect(Math.max(...steps)).toBeLessThan(20);
    expect(seen.at(-1)!).toBeGreaterThan(35);
    expect(seen.at(-1)!).toBeLessThan(45);
  });

  it('halves for a squeezed gateway at the next question, between two rounds, and returns smoothly', () => {
    const balancer = aBalancer();
    const calm = (): number => 0.2;
    runFleet(balancer, 1, 20, calm);
    const before = weight(balancer, 20_000);
    balancer.report(aReport('gw-0', { seq: 100_000, cpu: 0.95, connections: 3_000 }), 20_010);
    expect(weight(balancer, 20_020)).toBeLessThan(before / 2);
    const seen = weights(balancer, 20_100, 35_000, 0.2);
    expect(Math.max(...seen.slice(1).map((value, i) => value - seen[i]!))).toBeLessThan(20);
    // A step a round of 500 ms, not one a tick.
    const changedAt = seen.flatMap((value, i) => (i > 0 && value !== seen[i - 1] ? [i] : []));
    const ticksBetween = changedAt.slice(1).map((at, i) => at - changedAt[i]!);
    expect(Math.min(...ticksBetween)).toBe(5);
    expect(seen.at(-1)!).toBeGreaterThanOrEqual(before - 4);
  });

  it('never falls below 1 and is a whole number', () => {
    const balancer = aBalancer();
    runFleet(balancer, 1, 20, () => 3);
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

  it('calls nobody down in the moment in which every report connection is reset', () => {
    const ids = ['a', 'b', 'c'];
    const balancer = fleet(ids);
    balancer.tick(100);
    for (const id of ids) balancer.suspect(id, 103);
    for (const id of ids) {
      expect(balancer.agentAnswer(id, 104)).toMatchObject({
        health: 'up',
        reason: 'frozen: most of the pool is silent',
      });
    }
  });

  it('calls nobody down in the moment in which all fall silent', () => {
    const balancer = fleet(['a', 'b', 'c']);
    for (const nowMs of [100, 1_000, 1_900, 1_999]) balancer.tick(nowMs);
    expect(balancer.agentAnswer('a', 2_001)).toMatchObject({
      health: 'up',
      reason: 'frozen: most of the pool is silent',
    });
  });

  it('calls nobody down for silence it slept through itself, until they had time to report', () => {
    const balancer = fleet(['a', 'b', 'c', 'd']);
    balancer.tick(100);
    // Before its first tick, and whether the sleep was short or long.
    expect(balancer.agentAnswer('d', 2_050).health).toBe('up');
    expect(balancer.agentAnswer('d', 5_000).health).toBe('up');
    for (const id of ['a', 'b', 'c']) balancer.report(aReport(id, { seq: 2 }), 5_400);
    expect(balancer.agentAnswer('d', 5_500).health).toBe('up');
    balancer.suspect('d', 5_510);
    expect(balancer.agentAnswer('d', 5_520)).toMatchObject({
      health: 'up',
      reason: 'this Herald was paused and waits for fresh reports',
    });
    for (const nowMs of [5_500, 6_000, 6_100]) balancer.tick(nowMs);
    expect(balancer.agentAnswer('a', 6_200)).not.toHaveProperty('reason');
    expect(balancer.agentAnswer('d', 6_200)).toMatchObject({
      health: 'down',
      reason: 'report connection lost',
    });
  });
});
