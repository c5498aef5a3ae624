// What a gateway is told when an operator changes its mind, and by whom else.

import { describe, expect, it } from 'vitest';
import type { Directive } from '../../../src/protocol/load-report.ts';
import { createOrderMemory, orderIdOf } from '../../../src/reporter/core/order-memory.ts';
import { aBalancer, aReport } from './given.ts';

describe('the order an operator gives a gateway', () => {
  it('is given again when it is said again, in the same boot of the gateway', () => {
    const balancer = aBalancer();
    const isNews = createOrderMemory();
    const heard: string[] = [];
    let seq = 0;
    const report = (state: 'up' | 'draining', nowMs: number): void => {
      const verdict = balancer.report(aReport('gw-1', { seq: ++seq, state }), nowMs);
      const directive: Directive | undefined = verdict.taken ? verdict.directive : undefined;
      if (directive && isNews(directive)) heard.push(Object.keys(directive)[0]!);
    };
    const say = (state: 'up' | 'drain', saidEpochMs: number, nowMs: number): void =>
      balancer.setDesired('gw-1', { state, reason: '', author: 'ann', untilEpochMs: 0, saidEpochMs }, nowMs);
    report('up', 0);
    for (const round of [1, 2]) {
      say('drain', round * 10_000, round * 10_000);
      report('up', round * 10_000 + 100);
      report('up', round * 10_000 + 200);
      report('draining', round * 10_000 + 300);
      say('up', round * 10_000 + 1_000, round * 10_000 + 1_000);
      report('draining', round * 10_000 + 1_100);
      report('up', round * 10_000 + 1_200);
    }
    expect(heard).toEqual(['drain', 'ready', 'drain', 'ready']);
  });

  it('waits for a gateway that has not reported yet, however many have come and gone before', () => {
    const balancer = aBalancer({ maxGateways: 2 });
    const say = (gateway: string, state: 'up' | 'drain', nowMs: number): void =>
      balancer.setDesired(gateway, { state, reason: '', author: 'ann', untilEpochMs: 0 }, nowMs);
    for (const gateway of ['gw-1', 'gw-2']) {
      balancer.report(aReport(gateway), 0);
      say(gateway, 'up', 0);
    }
    balancer.tick(31_000);
    expect(balancer.size()).toBe(0);
    say('gw-3', 'drain', 31_000);
    expect(balancer.report(aReport('gw-3'), 31_001)).toHaveProperty('directive.drain');
  });

  it('takes no place in memory once it is lifted of a gateway that nobody knows', () => {
    const balancer = aBalancer({ maxGateways: 1 });
    const said = { reason: '', author: 'ann', untilEpochMs: 0 };
    balancer.setDesired('gw-1', { ...said, state: 'drain' }, 0);
    balancer.setDesired('gw-1', { ...said, state: 'up' }, 1);
    balancer.setDesired('gw-2', { ...said, state: 'drain' }, 2);
    expect(balancer.report(aReport('gw-2'), 3)).toHaveProperty('directive.drain');
  });

  it('has one id at every Herald', () => {
    const ids = ['h1', 'h2'].map((heraldId) => {
      const balancer = aBalancer({ heraldId });
      balancer.report(aReport('gw-1'), 0);
      balancer.setDesired(
        'gw-1',
        { state: 'maint', reason: 'disk', author: 'ann', untilEpochMs: 0, saidEpochMs: 7_000 },
        100,
      );
      const verdict = balancer.report(aReport('gw-1', { seq: 2 }), 500);
      return verdict.taken && verdict.directive ? orderIdOf(verdict.directive) : undefined;
    });
    expect(ids[0]).toBeDefined();
    expect(ids[0]).toBe(ids[1]);
  });
});
