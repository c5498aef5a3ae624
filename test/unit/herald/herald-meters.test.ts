// What a Herald's gauges say of the table, second by second.
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { decodeBrokerAddress } from '../../../src/protocol/broker-address.ts';
import { createHeraldMeters } from '../../../src/herald/status/herald-meters.ts';
import { aBalancer, aReport } from '../herald-core/given.ts';

function aFleet(...gateways: string[]) {
  const balancer = aBalancer({ forgetAfterMs: 30_000 });
  const metrics = createMetrics();
  const meters = createHeraldMeters(metrics);
  const report = (gateway: string, seq: number, nowMs: number, cpu = 0.4): void =>
    void balancer.report(aReport(gateway, { seq, cpu }), nowMs);
  for (const gateway of gateways) report(gateway, 1, 0);
  return {
    balancer,
    meters,
    report,
    show: (nowMs: number) => meters.table(balancer.snapshot(nowMs)),
    of: (gateway: string) =>
      Object.fromEntries(
        metrics
          .gauges()
          .filter(({ tags }) => tags['gateway'] === gateway)
          .map(({ name, value }) => [name, value]),
      ),
    gauge: (name: string, tags: object = {}) =>
      metrics.gauges().find((one) => one.name === name && JSON.stringify(one.tags) === JSON.stringify(tags))
        ?.value,
  };
}

it('counts the brokers by state, none of them too', () => {
  const { meters, gauge } = aFleet();
  const counted = (): unknown[] =>
    ['up', 'draining', 'missing'].map((state) => gauge('herald.brokers', { state }));
  const { value } = decodeBrokerAddress({
    id: 'b1',
    publish: 'tcp://127.0.0.1:7420',
    subscribe: 'tcp://127.0.0.1:7430',
    repair: 'tcp://127.0.0.1:7440',
    http: '',
    epoch: 'e1',
    state: 'up',
  }) as { value: BrokerAddress };
  meters.brokers([value, { ...value, id: 'b2', state: 'draining' }, { ...value, id: 'b3' }], 1);
  expect(counted()).toEqual([2, 1, 1]);
  meters.brokers([], 0);
  expect(counted()).toEqual([0, 0, 0]);
});

describe('the gauges of a gateway', () => {
  it('follow its row', () => {
    const { balancer, show, report, of } = aFleet('a', 'b');
    show(0);
    expect(of('a')).toMatchObject({
      'herald.gateway.reported_connections': 500,
      'herald.gateway.breaker_open': 0,
    });
    report('a', 2, 500, 0.8);
    show(1_000);
    const row = balancer.gateway('a', 1_000)!;
    expect(of('a')).toEqual({
      'herald.gateway.reported_score': row.reportedScore,
      'herald.gateway.expected_score': row.expectedScore,
      'herald.gateway.reported_connections': row.connections,
      'herald.gateway.weight_percent': row.weightPercent,
      'herald.gateway.breaker_open': 0,
    });
    expect(of('a')['herald.gateway.reported_score']).toBeGreaterThan(
      of('b')['herald.gateway.reported_score']!,
    );
  });

  it('are gone with it, and begin anew with its return', () => {
    const { balancer, meters, show, report, of } = aFleet('a', 'b');
    show(0);
    meters.picked('a');
    for (let nowMs = 500; nowMs <= 40_000; nowMs += 500) {
      report('b', 1 + nowMs, nowMs);
      balancer.tick(nowMs);
    }
    show(40_000);
    expect(of('a')).toEqual({});
    expect(Object.keys(of('b'))).toHaveLength(5);
    report('a', 1, 41_000);
    show(41_000);
    expect(of('a')).toMatchObject({ 'herald.gateway.reported_connections': 500 });
  });
});

it('counts the gateways in each state', () => {
  const { balancer, show, gauge } = aFleet('a', 'b', 'c');
  balancer.setDesired('c', { state: 'drain', reason: '', author: '', untilEpochMs: 0 }, 0);
  show(0);
  expect(gauge('herald.gateways', { state: 'up' })).toBe(2);
  expect(gauge('herald.gateways', { state: 'drain' })).toBe(1);
  balancer.suspect('a', 1);
  show(1);
  expect(gauge('herald.gateways', { state: 'up' })).toBe(1);
  expect(gauge('herald.gateways', { state: 'suspect' })).toBe(1);
  expect(gauge('herald.gateways', { state: 'expired' })).toBe(0);
});
