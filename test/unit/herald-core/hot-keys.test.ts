import { describe, expect, it } from 'vitest';
import { HotKeys } from '../../../src/herald/core/hot-keys.ts';
import { aBalancer, aReport, shares } from './given.ts';

/** Whether `key` is hot after ten seconds of `perSec` lookups with it, among `others` a second with keys of their own. */
function isHot(perSec: number, others: number): boolean {
  const keys = new HotKeys();
  let hot = false;
  for (let i = 0; i < 10 * (perSec + others); i++) {
    const nowMs = (1_000 * i) / (perSec + others);
    if (i % (1 + others / perSec) < 1) hot = keys.count('room', nowMs);
    else keys.count(`other-${i}`, nowMs);
  }
  return hot;
}

describe('a key is hot', () => {
  it.each([
    ['with more than a tenth of the lookups', 20, 80, true],
    ['not with less', 20, 280, false],
    ['not with less than five lookups a second, however large its share', 4, 0, false],
    ['with more', 8, 0, true],
  ])('%s', (_, perSec, others, expected) => {
    expect(isHot(perSec, others)).toBe(expected);
  });

  it('no more some seconds after its crowd has gone', () => {
    const keys = new HotKeys();
    for (let i = 0; i < 200; i++) keys.count('room', i * 10);
    expect(keys.count('room', 2_000)).toBe(true);
    expect(keys.count('room', 14_000)).toBe(false);
  });
});

describe('a hot key', () => {
  it('is found among more keys than there are counters', () => {
    const keys = new HotKeys();
    for (let i = 0; i < 64; i++) keys.count(`own-${i}`, 0);
    let hot = false;
    for (let i = 0; i < 200; i++) hot = keys.count('match', 0);
    expect(hot).toBe(true);
  });

  it('is spread over the pool instead of following its owner', () => {
    const balancer = aBalancer();
    for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`), 0);
    let found = new Map<string, number>();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`, { seq: 2 + nowMs }), nowMs);
      balancer.tick(nowMs);
      found = shares(balancer, 50, nowMs, { key: 'final' });
    }
    expect(found.size).toBe(10);
  });

  it('is none where most lookups name no key at all', () => {
    const balancer = aBalancer({ defaultPool: { handshakeSeconds: 0 } });
    let found = new Map<string, number>();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 500) {
      for (let i = 0; i < 10; i++) balancer.report(aReport(`gw-${i}`, { seq: 2 + nowMs }), nowMs);
      balancer.tick(nowMs);
      shares(balancer, 600, nowMs);
      found = shares(balancer, 50, nowMs, { key: 'final' });
    }
    expect(found.size).toBe(1);
  });
});
