// A reconnect storm: kill -9 of the busiest of six gateways, whose clients then all look up within seconds.
// What must hold is that they spread: a herd shows as one survivor that is named far beyond its fair share.

import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import { pause } from '../../launch/until.ts';
import { startCrowd } from './crowd.ts';
import { startFleet } from './fleet-processes.ts';

export interface StormFigures {
  policy: string;
  killed: string;
  /** Clients that had to come back. */
  orphans: number;
  /** Lookups answered with 503, of the clients that came first too. */
  refused: number;
  /** When the last of them was live again, ms after the kill. */
  allBackMs: number;
  /** Most a survivor was named in any half second, over its fair share of it. */
  worstShare: number;
  /** When the dead gateway was last named, ms after the kill; 0 = never. */
  lastNamedMs: number;
  /** When every Herald's table was first seen to know of its closed report connection, ms after the kill. */
  knownLostMs: number;
}

const GATEWAYS = 6;
const CLIENTS = 900;
const ARRIVE_MS = 10_000;
const SETTLE_MS = 8_000;
const WATCH_MS = 12_000;
const WINDOW_MS = 500;
/** In a window with fewer lookups chance alone passes any limit: 2.5 times a fifth of ten is five of ten. */
const MIN_LOOKUPS = 30;

export async function runStorm(
  policy: string,
  heralds: number,
  random: () => number = Math.random,
): Promise<StormFigures> {
  const capacities = new Array<number>(GATEWAYS).fill(1);
  const fleet = await startFleet({ policy, mover: 'off', capacities, heralds });
  const named: { atMs: number; gateway: string }[] = [];
  try {
    const onNamed = (gateway: string): void => void named.push({ atMs: performance.now(), gateway });
    const plan = { size: CLIENTS, arriveMs: ARRIVE_MS, stay: true, random };
    const crowd = await startCrowd(fleet, plan, { onNamed });
    try {
      await pause(ARRIVE_MS + SETTLE_MS);
      const [table] = await fleet.tables();
      const busiest = table!.gateways.reduce((a, b) => (b.connections > a.connections ? b : a));
      const before = crowd.live();
      named.length = 0;
      const killedMs = performance.now();
      fleet.kill(busiest.gateway);
      let allBackMs = Infinity;
      let knownLostMs = Infinity;
      while (performance.now() - killedMs < WATCH_MS) {
        await pause(knownLostMs === Infinity ? 10 : 50);
        if (knownLostMs === Infinity) {
          const isUp = ({ gateways }: TableSnapshot): boolean =>
            gateways.some((row) => row.gateway === busiest.gateway && row.effectiveState === 'up');
          if (!(await fleet.tables()).some(isUp)) knownLostMs = performance.now() - killedMs;
        }
        const sinceMs = performance.now() - killedMs;
        if (allBackMs === Infinity && sinceMs > 500 && crowd.live() >= before) allBackMs = sinceMs;
      }
      const after = named.map(({ atMs, gateway }) => ({ atMs: atMs - killedMs, gateway }));
      const ofDead = after.filter(({ gateway }) => gateway === busiest.gateway);
      return {
        policy,
        killed: busiest.gateway,
        orphans: busiest.connections,
        refused: crowd.counts().refused,
        allBackMs,
        worstShare: worstShare(after.filter(({ gateway }) => gateway !== busiest.gateway)),
        lastNamedMs: ofDead.at(-1)?.atMs ?? 0,
        knownLostMs,
      };
    } finally {
      await crowd.stop();
    }
  } finally {
    await fleet.stop();
  }
}

/** Over windows that slide by one lookup; `named` is in order of time. */
function worstShare(named: readonly { atMs: number; gateway: string }[]): number {
  const counts = new Map<string, number>();
  let first = 0;
  let worst = 0;
  for (const [last, { atMs, gateway }] of named.entries()) {
    counts.set(gateway, (counts.get(gateway) ?? 0) + 1);
    while (named[first]!.atMs < atMs - WINDOW_MS) {
      const leaving = named[first++]!.gateway;
      counts.set(leaving, counts.get(leaving)! - 1);
    }
    const inWindow = last - first + 1;
    if (inWindow < MIN_LOOKUPS) continue;
    const most = Math.max(...counts.values());
    worst = Math.max(worst, most / (inWindow / (GATEWAYS - 1)));
  }
  return worst;
}
