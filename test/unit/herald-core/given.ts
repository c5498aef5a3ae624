// Plain values the core's tests start from.

import { createBalancer } from '../../../src/herald/core/balancer.ts';
import type { BalancerOptions } from '../../../src/herald/core/balancer-options.ts';
import type { Balancer, LookupVerdict } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport, ShedOrder } from '../../../src/protocol/load-report.ts';
import type { LookupRequest } from '../../../src/protocol/lookup.ts';
import { DEFAULT_LOOKUP } from '../../../src/protocol/lookup.ts';

export const HERALD = 'h1';

/** A small deterministic generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function aBalancer(options: Partial<BalancerOptions> = {}): Balancer {
  return createBalancer({ heraldId: HERALD, random: seeded(1), ...options });
}

export function aReport(gateway: string, fields: Partial<LoadReport> = {}): LoadReport {
  return {
    v: 1,
    kind: 'full',
    gateway,
    url: `ws://${gateway}.test:7410/ws`,
    bootId: 'boot-1',
    seq: 1,
    periodMs: 500,
    pool: 'default',
    zone: '',
    labels: {},
    capacity: 1,
    state: 'up',
    tickets: {},
    cpu: 0.1,
    connections: 500,
    youngConnections: 0,
    acceptedTotal: 500,
    ...fields,
  };
}

/** These gateways, each with a first report at 0. */
export function fleet(ids: readonly string[]): Balancer {
  const balancer = aBalancer();
  for (const id of ids) balancer.report(aReport(id), 0);
  return balancer;
}

/** The ticks of Herald's own timer, with what happens just before each. */
export function tickTo(
  balancer: Balancer,
  fromMs: number,
  toMs: number,
  each: (nowMs: number) => void = () => {},
): void {
  for (let nowMs = fromMs; nowMs <= toMs; nowMs += 100) {
    each(nowMs);
    balancer.tick(nowMs);
  }
}

export function aLookup(fields: Partial<LookupRequest> = {}): LookupRequest {
  return { ...DEFAULT_LOOKUP, alternates: 0, ...fields };
}

export function named(verdict: LookupVerdict): string {
  if (!verdict.ok) throw new Error(`refused: ${verdict.code}: ${verdict.detail}`);
  return verdict.best.gateway;
}

/** How often each gateway was named in `count` lookups at one moment. */
export function shares(balancer: Balancer, count: number, nowMs: number, fields = {}): Map<string, number> {
  const found = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const gateway = named(balancer.lookup(aLookup(fields), nowMs));
    found.set(gateway, (found.get(gateway) ?? 0) + 1);
  }
  return found;
}

/** Runs a fleet whose gateways report `cpuOf(i)` every 500 ms; collects the orders it gets. */
export function runFleet(
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

/** The report without some of its fields: gateways that cannot know them do not send them. */
export function lacking(report: LoadReport, ...fields: (keyof LoadReport)[]): LoadReport {
  return Object.fromEntries(
    Object.entries(report).filter(([field]) => !fields.includes(field as keyof LoadReport)),
  ) as unknown as LoadReport;
}
