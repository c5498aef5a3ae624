// Clients that require labels can be moved only among the gateways that have them.

import { describe, expect, it } from 'vitest';
import { aBalancer, aLookup, aReport } from './given.ts';

/** Eight gateways, of which the first four have the label; returns whom the mover told to hand over. */
function ordered(cpuOf: (index: number) => number, required: Record<string, string>[]): Set<string> {
  const balancer = aBalancer();
  balancer.setMoverLease(true);
  for (let nowMs = 0; nowMs <= 120_000; nowMs += 500) {
    for (let i = 0; i < 8; i++) {
      const labels: Record<string, string> = i < 4 ? { gpu: '1', site: 'x' } : { site: 'x' };
      const fields = { seq: 1 + nowMs, cpu: cpuOf(i), connections: 1_000, labels };
      balancer.report(aReport(`gw-${i}`, fields), nowMs);
    }
    for (const labels of required) balancer.lookup(aLookup({ labels, intent: 'move' }), nowMs);
    balancer.tick(nowMs);
  }
  return new Set(balancer.moverOrders().map(({ gateway }) => gateway));
}

describe('the mover, where lookups require labels', () => {
  const busyGpus = (i: number): number => (i < 4 ? 0.75 : 0.45);

  it('moves nobody between gateways of which one lacks what their clients require', () => {
    expect(ordered(busyGpus, [{ gpu: '1' }, {}])).toEqual(new Set());
  });

  it('moves them where all have it, or where nobody requires it', () => {
    const gpus = new Set(['gw-0', 'gw-1', 'gw-2', 'gw-3']);
    expect(ordered(busyGpus, [{ site: 'x' }])).toEqual(gpus);
    expect(ordered(busyGpus, [{}])).toEqual(gpus);
  });

  it('levels those that have it among themselves', () => {
    expect(ordered((i) => [0.85, 0.6, 0.6, 0.6][i] ?? 0.3, [{ gpu: '1' }, {}])).toEqual(new Set(['gw-0']));
  });
});
