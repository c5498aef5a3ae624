// A flood of lookups on a real Herald with three real gateways, while real clients come: asking is free, so
// it must close no door. Played capacity, so that what this machine does besides decides nothing.

import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import { pause, until } from '../../launch/until.ts';
import { startCrowd } from './crowd.ts';
import { startFleet } from './fleet-processes.ts';

const FLOOD_PER_SEC = 200;
const FLOOD_MS = 12_000;
const STEP_MS = 25;
/** A sixth of what the three can carry: what the flood adds in vain is then seen apart from real load. */
const CLIENTS = 120;

test('200 lookups a second from which nobody connects keep no client out', { timeout: 120_000 }, async () => {
  const fleet = await startFleet({ policy: 'expected', mover: 'off', capacities: [1, 1, 1], heralds: 1 });
  const agent = new Agent({ connections: 20 });
  const statuses = new Map<number, number>();
  const ask = async (): Promise<void> => {
    const { statusCode, body } = await request(`${fleet.publicUrls[0]}/v1/lookup`, { dispatcher: agent });
    await body.dump();
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
  };
  try {
    const asked: Promise<void>[] = [];
    const startMs = performance.now();
    const plan = { size: CLIENTS, arriveMs: FLOOD_MS - 2_000, stay: true, random: Math.random };
    const crowd = await startCrowd(fleet, plan);
    try {
      let sent = 0;
      while (performance.now() - startMs < FLOOD_MS) {
        // By the clock and not by the step: a late timer asks for what it missed.
        const due = Math.floor(((performance.now() - startMs) * FLOOD_PER_SEC) / 1_000);
        for (; sent < due; sent++) asked.push(ask());
        await pause(STEP_MS);
      }
      await Promise.all(asked);
      await until('every client live', () => crowd.live() === CLIENTS, 30_000);
      console.log(`flood: ${sent} lookups, answers ${JSON.stringify([...statuses])}`);
      expect(sent).toBeGreaterThan((FLOOD_PER_SEC * FLOOD_MS) / 1_000 - 100);
      expect(crowd.counts().refused).toBe(0);
      expect([...statuses.keys()]).toEqual([200]);
    } finally {
      await crowd.stop();
    }
  } finally {
    await agent.close();
    await fleet.stop();
  }
});
