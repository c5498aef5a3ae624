// A Herald that has just started knows nothing of what a connection costs in this fleet.

import { describe, expect, it } from 'vitest';
import type { TableRow } from '../../../src/protocol/table-row.ts';
import { aBalancer, aLookup, aReport } from './given.ts';

const FLEET = Array.from({ length: 20 }, (_, i) => `gw-${i}`);
/** Idle connections: fifty thousand make a fifth of a gateway's load. */
const CHEAP = { connections: 50_000, acceptedTotal: 50_000, cpu: 0.2 };

function aRow(gateway: string): TableRow {
  return {
    gateway,
    url: `ws://${gateway}.test:7410/ws`,
    pool: 'default',
    zone: '',
    labels: {},
    capacity: 1,
    bootId: 'boot-1',
    seq: 10,
    state: 'up',
    periodMs: 500,
    ageMs: 700,
    reportedScore: 0.2,
    correctedScore: 0.2,
    costPerConnection: 0.2 / 50_000,
    connections: 50_000,
    youngConnections: 0,
    maxConnections: 0,
  };
}

describe('a Herald that has just started', () => {
  it('names gateways of many cheap connections by the rows of other Heralds alone', () => {
    const balancer = aBalancer();
    balancer.mergeRows(FLEET.map(aRow), 1_000);
    for (let nowMs = 1_000; nowMs <= 2_200; nowMs += 50) {
      expect(balancer.lookup(aLookup(), nowMs)).toMatchObject({ ok: true });
    }
  });

  it('names them from the first report on, and as the others come in', () => {
    const balancer = aBalancer();
    let seq = 0;
    for (let nowMs = 0; nowMs < 4_000; nowMs += 25) {
      const gateway = FLEET[(nowMs / 25) % FLEET.length]!;
      balancer.report(aReport(gateway, { ...CHEAP, seq: ++seq }), nowMs);
      balancer.tick(nowMs);
      expect(balancer.lookup(aLookup(), nowMs)).toMatchObject({ ok: true });
    }
  });

  it('does not hold the cost of the first gateway against the rest', () => {
    const balancer = aBalancer();
    balancer.report(aReport('dear', { connections: 10, acceptedTotal: 10, cpu: 0.3, seq: 1 }), 0);
    for (let nowMs = 100; nowMs < 3_000; nowMs += 50) {
      const gateway = FLEET[(nowMs / 50) % 10]!;
      balancer.report(aReport(gateway, { ...CHEAP, seq: nowMs }), nowMs);
      balancer.tick(nowMs);
      if (nowMs < 1_200) continue;
      const verdict = balancer.lookup(aLookup({ exclude: ['dear'] }), nowMs);
      expect(verdict).toMatchObject({ ok: true });
    }
  });

  it('holds neither what idle gateways cost nor the handshakes of a storm against its clients for long', () => {
    const gateways = FLEET.slice(0, 3);
    const balancer = aBalancer();
    // Processes that start are busy with themselves.
    for (const gateway of gateways) {
      balancer.report(aReport(gateway, { connections: 0, acceptedTotal: 0, cpu: 0.15, seq: 1 }), 0);
    }
    for (let nowMs = 500; nowMs <= 12_000; nowMs += 500) {
      // 350 clients each within two seconds, who cost next to nothing once they are connected.
      const connections = Math.round(350 * Math.min(1, nowMs / 2_000));
      const youngConnections = connections * Math.max(0, 1 - Math.max(0, nowMs - 1_000) / 10_000);
      const cpu = nowMs <= 3_000 ? 0.25 : 0.02;
      for (const gateway of gateways) {
        const counts = { connections, acceptedTotal: connections, youngConnections };
        balancer.report(aReport(gateway, { ...counts, cpu, seq: nowMs }), nowMs);
      }
      balancer.tick(nowMs);
      const loads = balancer.snapshot(nowMs).gateways.map((row) => row.expectedScore);
      expect(Math.max(...loads)).toBeLessThan(nowMs <= 6_000 ? 0.9 : 0.25);
    }
  });
});
