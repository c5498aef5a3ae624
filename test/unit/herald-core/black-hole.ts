// Gateways that let nobody in, and the clients that come back and say so.

import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import type { LoadReport } from '../../../src/protocol/load-report.ts';
import type { LookupRequest } from '../../../src/protocol/lookup.ts';
import { encodeTicket } from '../../../src/protocol/ticket.ts';
import { aBalancer, aLookup, aReport, HERALD } from './given.ts';

/** The state of the breaker of `gateway`. */
export const breakerOf = (balancer: Balancer, gateway: string, nowMs: number) =>
  balancer.snapshot(nowMs).gateways.find((row) => row.gateway === gateway)!.breaker;

/** The ticket of a pick, as a client says that it failed. */
export const failed = (seq: number): string =>
  encodeTicket({ heraldId: HERALD, seq, issuedMs: 0, mac: 'A'.repeat(22) });

/** Looks up, cannot get in, and comes back to say so. Answers where it was sent; undefined = it was refused. */
export function turnedAway(
  balancer: Balancer,
  nowMs: number,
  wish: Partial<LookupRequest> = {},
): string | undefined {
  const verdict = balancer.lookup(aLookup(wish), nowMs);
  if (!verdict.ok) return undefined;
  const { gateway, ticketSeq } = verdict.best;
  balancer.lookup(aLookup({ ...wish, exclude: [gateway], failedTicket: failed(ticketSeq) }), nowMs);
  return gateway;
}

/** Four gateways of which `hole` looks idle and admits nobody, unlike the others; all clients of it come back and say so. */
export function blackHole(): { balancer: Balancer; fail: (count: number, nowMs: number) => number } {
  const balancer = aBalancer();
  for (const [seq, nowMs] of [
    [0, -3_000],
    [1, 0],
  ] as const) {
    for (const id of ['hole', 'b', 'c', 'd']) {
      const fields = id === 'hole' ? { cpu: 0 } : { cpu: 0.4, tickets: { [HERALD]: { admitted: 20 * seq } } };
      balancer.report(aReport(id, { seq, ...fields }), nowMs);
    }
    // These clients get in, and are counted in the next report.
    for (let i = 0; seq === 0 && i < 63; i++) balancer.lookup(aLookup({ exclude: ['hole'] }), nowMs);
  }
  balancer.tick(0);
  const fail = (count: number, nowMs: number): number => {
    let told = 0;
    for (let i = 0; i < 400 && told < count; i++) {
      const verdict = balancer.lookup(aLookup(), nowMs);
      if (!verdict.ok || verdict.best.gateway !== 'hole') continue;
      told++;
      balancer.lookup(aLookup({ exclude: ['hole'], failedTicket: failed(verdict.best.ticketSeq) }), nowMs);
    }
    return told;
  };
  return { balancer, fail };
}

/** Lets time pass in which all four report twice a second, with `more` beside what they always say. */
export function passing(
  balancer: Balancer,
  more: (nowMs: number) => Partial<LoadReport> = () => ({}),
): (fromMs: number, toMs: number) => void {
  return (fromMs, toMs) => {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 500) {
      for (const id of ['hole', 'b', 'c', 'd']) {
        const cpu = id === 'hole' ? 0 : 0.4;
        balancer.report(aReport(id, { seq: 1 + nowMs, cpu, ...more(nowMs) }), nowMs);
      }
      balancer.tick(nowMs);
    }
  };
}
