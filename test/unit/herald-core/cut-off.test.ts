// A Herald that loses most gateways at once, and hears of them through others.

import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aLookup, aReport, tickTo } from './given.ts';

const FLEET = Array.from({ length: 20 }, (_, i) => `gw-${i}`);

function heardAll(untilMs: number): Balancer {
  const balancer = aBalancer();
  for (let nowMs = 0, seq = 1; nowMs <= untilMs; nowMs += 100) {
    if (nowMs % 500 === 0) {
      for (const gateway of FLEET) balancer.report(aReport(gateway, { seq }), nowMs);
      seq++;
    }
    balancer.tick(nowMs);
  }
  return balancer;
}

function namesOf(balancer: Balancer, nowMs: number): Set<string> {
  const names = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const verdict = balancer.lookup(aLookup(), nowMs);
    if (verdict.ok) names.add(verdict.best.gateway);
  }
  return names;
}

describe('a Herald cut off from its gateways', () => {
  it.each([3, 20])(
    'answers from the last good table when every connection is lost %d ms after a tick',
    (afterMs) => {
      const balancer = heardAll(3_000);
      const nowMs = 3_000 + afterMs;
      for (const gateway of FLEET) balancer.suspect(gateway, nowMs);
      expect(balancer.lookup(aLookup(), nowMs + 1)).toMatchObject({ ok: true });
      expect(balancer.snapshot(nowMs + 1).frozen).toBe(true);
    },
  );

  it('answers from it when all have just grown too old, before the next tick', () => {
    const balancer = heardAll(3_000);
    tickTo(balancer, 3_100, 5_000);
    expect(balancer.lookup(aLookup(), 5_050)).toMatchObject({ ok: true });
  });

  it('does not name again who was lost long before the cut', () => {
    const balancer = heardAll(3_000);
    balancer.suspect('gw-3', 3_020);
    tickTo(balancer, 3_100, 4_400);
    for (const gateway of FLEET) balancer.suspect(gateway, 4_500);
    const alone = (id: string) =>
      balancer.lookup(aLookup({ exclude: FLEET.filter((other) => other !== id) }), 4_505);
    expect([alone('gw-4').ok, alone('gw-3').ok, balancer.snapshot(4_505).frozen]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('does not take one dead gateway for a cut', () => {
    const balancer = heardAll(3_000);
    balancer.suspect('gw-3', 3_020);
    expect(namesOf(balancer, 3_025)).not.toContain('gw-3');
    expect(balancer.snapshot(3_025).frozen).toBe(false);
  });

  it('does not take gateways that leave in order for a cut, and sees the next death at once', () => {
    const leaving: [string, (balancer: Balancer, gateway: string) => void][] = [
      ['by goodbye alone', (balancer, gateway) => balancer.leave(gateway, 3_020)],
      [
        'draining',
        (balancer, gateway) => {
          balancer.report(aReport(gateway, { seq: 100, state: 'draining' }), 3_010);
          balancer.suspect(gateway, 3_020);
        },
      ],
    ];
    for (const [how, leave] of leaving) {
      const balancer = heardAll(3_000);
      for (const gateway of FLEET.slice(0, 14)) leave(balancer, gateway);
      balancer.tick(3_100);
      expect(balancer.snapshot(3_100).frozen, how).toBe(false);
      balancer.suspect('gw-19', 3_150);
      balancer.tick(3_200);
      expect([...namesOf(balancer, 3_200)].sort(), how).toEqual(FLEET.slice(14, 19));
    }
  });

  it('believes another Herald that heard a gateway after the connection here broke', () => {
    const balancer = heardAll(3_000);
    const rows = balancer.rows(3_000);
    for (const gateway of FLEET) balancer.suspect(gateway, 3_020);
    for (let nowMs = 3_100; nowMs <= 4_000; nowMs += 100) balancer.tick(nowMs);
    expect(balancer.snapshot(4_000).frozen).toBe(true);
    const heard = rows.filter(({ gateway }) => gateway !== 'gw-3');
    balancer.mergeRows(
      heard.map((row) => ({ ...row, seq: row.seq + 2, ageMs: 100 })),
      4_000,
    );
    balancer.tick(4_100);
    expect(balancer.snapshot(4_100).frozen).toBe(false);
    const names = namesOf(balancer, 4_100);
    expect(names.size).toBeGreaterThan(10);
    expect(names).not.toContain('gw-3');
  });

  it('does not believe a row whose report was made before the connection broke', () => {
    const balancer = heardAll(3_000);
    const row = balancer.rows(3_000).find(({ gateway }) => gateway === 'gw-3')!;
    balancer.suspect('gw-3', 3_020);
    balancer.mergeRows([{ ...row, seq: row.seq + 1, ageMs: 90 }], 3_100);
    balancer.tick(3_200);
    expect(namesOf(balancer, 3_200)).not.toContain('gw-3');
  });
});
