// Anybody may look up, stay away, and say that a pick failed. What strangers do must not shut out gateways that let
// clients in, and a gateway that lets nobody in must be found all the same.

import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { encodeTicket } from '../../../src/protocol/ticket.ts';
import { aBalancer, aLookup, aReport, HERALD, lacking } from './given.ts';

const CONNECT_MS = 150;
const LIFE_MS = 40_000;
const TARGET = 'gw-0';

interface Fleet {
  gateways?: number;
  /** Clients a second, of the whole pool, that connect where they are sent. */
  realPerSec: number;
  /** Gateways that have nobody, report 0 and let nobody in. */
  holes?: readonly string[];
  /** Gateways that tell how many connections they have, and nothing of who came. */
  bare?: readonly string[];
  /** First reports of a gateway that comes later than the others. */
  comesAtMs?: ReadonlyMap<string, number>;
  strangers?: (balancer: Balancer, nowMs: number) => void;
  untilMs?: number;
}

interface Seen {
  /** Gateways whose breaker was open at some time. */
  opened: Set<string>;
  /** Clients that were sent to one that lets nobody in, before its breaker opened. */
  swallowed: number;
  /** Clients that were sent to the target from 30 s on, and to all. */
  toTarget: number;
  toAll: number;
}

function run({
  gateways = 8,
  realPerSec,
  holes = [],
  bare = [],
  comesAtMs,
  strangers,
  untilMs = 90_000,
}: Fleet): Seen {
  const balancer = aBalancer();
  const ids = Array.from({ length: gateways }, (_, i) => `gw-${i}`);
  const letIn = new Map(ids.map((id) => [id, 0]));
  const coming: { atMs: number; gateway: string }[] = [];
  const leaving: { atMs: number; gateway: string }[] = [];
  const left = new Map(ids.map((id) => [id, 0]));
  const seen: Seen = { opened: new Set(), swallowed: 0, toTarget: 0, toAll: 0 };
  const lookUp = (nowMs: number, failed?: { gateway: string; ticketSeq: number }): void => {
    const hint = failed && { exclude: [failed.gateway], failedTicket: ticket(failed.ticketSeq) };
    const verdict = balancer.lookup(aLookup(hint), nowMs);
    if (!verdict.ok) return;
    const { gateway } = verdict.best;
    if (nowMs >= 30_000) seen.toAll++;
    if (nowMs >= 30_000 && gateway === TARGET) seen.toTarget++;
    if (!holes.includes(gateway)) coming.push({ atMs: nowMs + CONNECT_MS, gateway });
    else {
      if (seen.opened.size === 0) seen.swallowed++;
      lookUp(nowMs, verdict.best);
    }
  };
  let due = 0;
  for (let nowMs = 0; nowMs < untilMs; nowMs += 10) {
    for (; coming[0] && coming[0].atMs <= nowMs; coming.shift()) {
      const { gateway } = coming[0];
      letIn.set(gateway, letIn.get(gateway)! + 1);
      leaving.push({ atMs: nowMs + LIFE_MS, gateway });
    }
    for (; leaving[0] && leaving[0].atMs <= nowMs; leaving.shift()) {
      const { gateway } = leaving[0];
      left.set(gateway, left.get(gateway)! + 1);
    }
    for (const [i, id] of ids.entries()) {
      if ((nowMs + 60 * i) % 500 !== 0 || nowMs < (comesAtMs?.get(id) ?? 0)) continue;
      const admitted = letIn.get(id)!;
      const connections = holes.includes(id) ? 0 : 500 + admitted - left.get(id)!;
      const counts = { connections, acceptedTotal: admitted, tickets: { [HERALD]: { admitted } } };
      const report = aReport(id, { seq: 1 + nowMs, cpu: 0.0001 * connections, ...counts });
      const isBare = bare.includes(id);
      balancer.report(isBare ? { ...lacking(report, 'acceptedTotal'), tickets: {} } : report, nowMs);
    }
    if (nowMs % 100 === 0) balancer.tick(nowMs);
    if (nowMs >= 1_000) for (due += realPerSec / 100; due >= 1; due--) lookUp(nowMs);
    strangers?.(balancer, nowMs);
    if (nowMs % 500 !== 0) continue;
    for (const { gateway, breaker } of balancer.snapshot(nowMs).gateways) {
      if (breaker !== 'closed') seen.opened.add(gateway);
    }
  }
  return seen;
}

const ticket = (seq: number): string =>
  encodeTicket({ heraldId: HERALD, seq, issuedMs: 0, mac: 'A'.repeat(22) });
const allBut = (gateways: number, kept: string): string[] =>
  Array.from({ length: gateways }, (_, i) => `gw-${i}`).filter((id) => id !== kept);

/** From 30 s on, 200 times a second: a ticket of the target, and the word that it failed. */
const slander = (balancer: Balancer, nowMs: number): void => {
  if (nowMs < 30_000) return;
  for (let i = 0; i < 2; i++) {
    const verdict = balancer.lookup(aLookup({ exclude: allBut(8, TARGET) }), nowMs);
    if (!verdict.ok) continue;
    const { gateway, ticketSeq } = verdict.best;
    balancer.lookup(aLookup({ exclude: [gateway], failedTicket: ticket(ticketSeq) }), nowMs);
  }
};
/** The same by strangers who take what they are given, and say so of the target alone. */
const luckySlander = (balancer: Balancer, nowMs: number): void => {
  if (nowMs < 30_000) return;
  for (let i = 0; i < 5; i++) {
    const verdict = balancer.lookup(aLookup(), nowMs);
    if (!verdict.ok || verdict.best.gateway !== TARGET) continue;
    balancer.lookup(aLookup({ exclude: [TARGET], failedTicket: ticket(verdict.best.ticketSeq) }), nowMs);
  }
};
const burst =
  (exclude: string[]) =>
  (balancer: Balancer, nowMs: number): void => {
    if (nowMs !== 30_000) return;
    for (let i = 0; i < 5_000; i++) balancer.lookup(aLookup({ exclude }), nowMs);
  };

describe('strangers who look up and stay away open no breaker', () => {
  it.each([0, 2, 50])('by one burst, where %d clients a second connect', (realPerSec) => {
    expect(run({ realPerSec, strangers: burst([]) }).opened).toEqual(new Set());
  });

  it.each([0, 2, 50])('by a burst at one gateway, where %d connect', (realPerSec) => {
    expect(run({ realPerSec, strangers: burst(allBut(8, TARGET)) }).opened).toEqual(new Set());
  });

  it.each([1, 5, 50])('by saying that its tickets failed, where %d connect', (realPerSec) => {
    expect(run({ realPerSec, strangers: slander }).opened).toEqual(new Set());
  });

  it.each([5, 50, 400])('by saying so of what they were given, where %d connect', (realPerSec) => {
    expect(run({ realPerSec, strangers: luckySlander }).opened).toEqual(new Set());
  });

  it.each([1, 5, 50])('nor that of one that counts its connections alone, where %d connect', (realPerSec) => {
    expect(run({ realPerSec, bare: [TARGET], strangers: slander }).opened).toEqual(new Set());
  });

  it('nor that of a gateway which has just come', () => {
    const comesAtMs = new Map([[TARGET, 30_000]]);
    expect(run({ realPerSec: 20, comesAtMs, strangers: slander }).opened).toEqual(new Set());
  });
});

it('strangers keep not many more clients from a gateway by saying that they are large', () => {
  const sentTo = (size: number): number => {
    const strangers = (balancer: Balancer, nowMs: number): void => {
      if (nowMs >= 30_000 && nowMs % 100 === 0) {
        balancer.lookup(aLookup({ exclude: allBut(8, TARGET), size }), nowMs);
      }
    };
    return run({ realPerSec: 50, strangers }).toTarget;
  };
  expect(sentTo(100)).toBeGreaterThan(0.5 * sentTo(1));
});

describe('a gateway that lets nobody in is found', () => {
  it.each([
    [8, 2, 100],
    [8, 20, 100],
    [8, 200, 400],
    [20, 80, 150],
  ])('among %d by %d clients a second, after at most %d', (gateways, realPerSec, most) => {
    const { opened, swallowed } = run({ gateways, realPerSec, holes: [TARGET] });
    expect(opened).toEqual(new Set([TARGET]));
    expect(swallowed).toBeLessThanOrEqual(most);
  });

  it('where it and the others count their connections alone', () => {
    const bare = Array.from({ length: 8 }, (_, i) => `gw-${i}`);
    const { opened, swallowed } = run({ realPerSec: 20, holes: [TARGET], bare });
    expect(opened).toEqual(new Set([TARGET]));
    expect(swallowed).toBeLessThanOrEqual(200);
  });
});
