// Asking is free: lookups from which nobody connects (a load test, a loop in a script, an attack) must not
// close the fleet to clients that do connect.

import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/herald/core/balancer-types.ts';
import { aBalancer, aLookup, aReport, HERALD } from './given.ts';

const GATEWAYS = 3;
const PERIOD_MS = 500;
const CONNECT_MS = 150;
const REAL_PER_SEC = 5;

interface Fleet {
  /** Measured load of each gateway. */
  cpu: number;
  /** Connections of each: few means that each is dear. */
  connections: number;
  floodPerSec: number;
  realPerSec?: number;
  maxConnections?: number;
}

interface Told {
  admitted: number;
  refused: number;
  /** Refused later than 3 s after the flood began. */
  refusedLater: number;
  longestWaitMs: number;
  /** Gateways wanted as the flood began, and at most after that. */
  sizeBefore: number;
  sizeAtMost: number;
  /** Seconds of gateways whose breaker was not closed. */
  breakersOpened: number;
}

/** Thirty quiet seconds with real clients, then thirty in which the flood comes too. */
function floodOf({ cpu, connections, floodPerSec, realPerSec = REAL_PER_SEC, maxConnections }: Fleet): Told {
  const balancer = aBalancer();
  const accepted = new Array<number>(GATEWAYS).fill(0);
  const coming: { atMs: number; gateway: number }[] = [];
  const told: Told = {
    admitted: 0,
    refused: 0,
    refusedLater: 0,
    longestWaitMs: 0,
    sizeBefore: 0,
    sizeAtMost: 0,
    breakersOpened: 0,
  };
  const floodFromMs = 30_000;
  let flood = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
    while (coming[0] && coming[0].atMs <= nowMs) accepted[coming.shift()!.gateway]!++;
    if (nowMs % PERIOD_MS === 0) report(balancer, nowMs);
    if (nowMs % 100 === 0) balancer.tick(nowMs);
    const { desired } = balancer.autoscale(nowMs, 'default');
    if (nowMs <= floodFromMs) told.sizeBefore = desired;
    told.sizeAtMost = Math.max(told.sizeAtMost, desired);
    if (nowMs >= floodFromMs) {
      for (flood += floodPerSec / 100; flood >= 1; flood--) balancer.lookup(aLookup(), nowMs);
    }
    if (nowMs % 1_000 === 0) told.breakersOpened += openBreakers(balancer, nowMs);
    if (nowMs % (1_000 / realPerSec) !== 0) continue;
    const verdict = balancer.lookup(aLookup(), nowMs);
    if (verdict.ok) {
      told.admitted++;
      coming.push({ atMs: nowMs + CONNECT_MS, gateway: Number(verdict.best.gateway.slice(3)) });
    } else {
      told.refused++;
      if (nowMs > floodFromMs + 3_000) told.refusedLater++;
      told.longestWaitMs = Math.max(told.longestWaitMs, verdict.retryAfterMs);
    }
  }
  return told;

  function report(to: Balancer, nowMs: number): void {
    accepted.forEach((count, i) => {
      const fields = {
        seq: nowMs,
        cpu,
        connections,
        acceptedTotal: count,
        tickets: { [HERALD]: { admitted: count } },
        ...(maxConnections !== undefined && { maxConnections }),
      };
      to.report(aReport(`gw-${i}`, fields), nowMs);
    });
  }
}

function openBreakers(balancer: Balancer, nowMs: number): number {
  return balancer.snapshot(nowMs).gateways.filter(({ breaker }) => breaker !== 'closed').length;
}

describe('a flood of lookups from which nobody connects', () => {
  it.each([
    { cpu: 0.3, connections: 2_000, floodPerSec: 200 },
    { cpu: 0.65, connections: 3_000, floodPerSec: 200 },
    // 160 connections fill two thirds of a gateway: each ticket in flight weighs 25 times as much.
    { cpu: 0.65, connections: 160, floodPerSec: 20 },
    { cpu: 0.45, connections: 3_000, floodPerSec: 5_000 },
  ])('refuses no client that does: %j', (fleet) => {
    expect(floodOf(fleet)).toMatchObject({ admitted: 60 * REAL_PER_SEC, refused: 0 });
  });

  it.each([
    { cpu: 0.65, connections: 160, floodPerSec: 200 },
    { cpu: 0.8, connections: 3_000, floodPerSec: 2_000 },
  ])('refuses them for three seconds at most, and does not send them far away: %j', (fleet) => {
    const told = floodOf(fleet);
    expect(told.refusedLater).toBe(0);
    expect(told.longestWaitMs).toBeLessThan(10_000);
  });

  it.each([
    { cpu: 0.3, connections: 160, floodPerSec: 2_000 },
    { cpu: 0.45, connections: 160, floodPerSec: 200 },
    { cpu: 0.8, connections: 3_000, floodPerSec: 2_000 },
    // A full fleet refuses it, which says no more of the load.
    { cpu: 0.95, connections: 3_000, floodPerSec: 2_000 },
  ])('asks for no further gateway: %j', (fleet) => {
    const { sizeBefore, sizeAtMost } = floodOf(fleet);
    expect(sizeAtMost).toBe(sizeBefore);
  });

  it('does not fill the hard cap of a gateway', () => {
    const told = floodOf({ cpu: 0.3, connections: 900, floodPerSec: 200, maxConnections: 1_000 });
    expect(told.refusedLater).toBe(0);
  });

  it.each([0, REAL_PER_SEC])(
    'opens no breaker while %d connect: what nobody came with says nothing of a gateway',
    (realPerSec) => {
      for (const floodPerSec of [100, 200, 2_000]) {
        const { breakersOpened } = floodOf({ cpu: 0.45, connections: 160, floodPerSec, realPerSec });
        expect(breakersOpened).toBe(0);
      }
    },
  );
});
