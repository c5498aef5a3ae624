// Of many gateways not every question and every change has all of them looked at. What is named must be right all the same.

import { describe, expect, it } from 'vitest';
import type { Balancer, LookupVerdict } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import { aBalancer, aLookup, aReport, named, seeded, tickTo } from './given.ts';

const MANY = 600;

function fleet(fields: (i: number) => Partial<LoadReport>, random = seeded(1), count = MANY): Balancer {
  const balancer = aBalancer({ random, defaultPool: { handshakeSeconds: 0 } });
  for (let i = 0; i < count; i++) balancer.report(aReport(`gw-${i}`, fields(i)), 0);
  return balancer;
}

describe('in a large fleet nobody is named', () => {
  const asked = (balancer: Balancer, fields: object): Set<string> =>
    new Set(Array.from({ length: 3_000 }, () => named(balancer.lookup(aLookup(fields), 10))));

  it('who has just gone to another pool', () => {
    const balancer = fleet(() => ({ pool: 'chat' }));
    named(balancer.lookup(aLookup({ pool: 'chat' }), 0));
    balancer.report(aReport('gw-7', { seq: 2, pool: 'feed', cpu: 0, connections: 0 }), 10);
    expect(asked(balancer, { pool: 'chat' })).not.toContain('gw-7');
    expect(asked(balancer, { pool: 'feed' })).toEqual(new Set(['gw-7']));
  });

  it('who has just lost the label that is required', () => {
    const balancer = fleet(() => ({ labels: { plan: 'gold' } }));
    const labels = { plan: 'gold' };
    named(balancer.lookup(aLookup({ labels }), 0));
    balancer.report(aReport('gw-7', { seq: 2, labels: { plan: 'free' }, cpu: 0 }), 10);
    expect(asked(balancer, { labels })).not.toContain('gw-7');
  });
});

describe('in a large fleet that has no room', () => {
  it('by hard caps, one lookup in 100 ms looks at all', () => {
    let chances = 0;
    const random = seeded(1);
    const counted = (): number => (chances++, random());
    const balancer = fleet(() => ({ maxConnections: 500, periodMs: 60_000 }), counted);
    chances = 0;
    // Each refusal takes a chance for its wait, and each look at all one for where it begins.
    for (let nowMs = 1; nowMs < 100; nowMs++) {
      const refused = { code: 'none-eligible', refused: { full: MANY } };
      expect(balancer.lookup(aLookup({ intent: 'move' }), nowMs)).toMatchObject(refused);
    }
    expect(chances).toBe(99 + 1);
  });

  it('but at one gateway, that one is named when all fall silent at once and their ages are no longer judged', () => {
    const balancer = fleet((i) => (i === 7 ? {} : { maxConnections: 500 }), seeded(1), 100);
    tickTo(balancer, 0, 2_000);
    expect(named(balancer.lookup(aLookup({ intent: 'move' }), 2_500))).toBe('gw-7');
  });

  it('those who ask for it in ever new ways are told whom that removed one at a time', () => {
    const bits = Array.from({ length: 12 }, (_, place) => `bit${place}`);
    const balancer = fleet(
      (i) => ({
        cpu: 0.97,
        labels: Object.fromEntries(bits.map((bit, place) => [bit, String((i >> place) & 1)])),
      }),
      seeded(1),
      4_096,
    );
    const ask = (i: number, nowMs: number): LookupVerdict => {
      const labels = Object.fromEntries([`bit${i}`, `bit${i + 1}`].map((bit) => [bit, '0']));
      return balancer.lookup(aLookup({ labels }), nowMs);
    };
    const all = { label: 3_072, overloaded: 1_024 };
    expect(ask(0, 1)).toMatchObject({ ok: false, code: 'overloaded', refused: all });
    for (let i = 1; i < 10; i++) expect(ask(i, 2)).toHaveProperty('refused', {});
    expect(ask(10, 51)).toMatchObject({ ok: false, refused: all });
    // Few have that, and are soon counted.
    const labels = Object.fromEntries(bits.map((bit) => [bit, '1']));
    balancer.report(aReport('rare', { labels: { ...labels, host: 'rare' }, cpu: 0.97 }), 52);
    const rare = balancer.lookup(aLookup({ labels: { ...labels, host: 'rare' } }), 52);
    expect(rare).toMatchObject({ refused: { label: 4_096, overloaded: 1 } });
  });
});
