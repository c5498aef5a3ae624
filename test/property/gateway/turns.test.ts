// Whatever the order in which brokers freeze, streams lag and gateways die: a client hears every message that was
// acked, or of a gap. TURNS_SEEDS and TURNS_FIRST run other worlds, or more of them.

import { expect, it } from 'vitest';
import type { Faults, Outcome } from './turns-world.ts';
import { playTurns } from './turns-world.ts';

const SEEDS = Number(process.env['TURNS_SEEDS'] ?? 40);
const FIRST = Number(process.env['TURNS_FIRST'] ?? 1);

/** Worlds that lost something without a gap, and what all of them carried together. */
async function play(
  first: number,
  seeds: number,
  faults: Faults = {},
): Promise<{ lossy: string[]; acked: number }> {
  const outcomes: [number, Outcome][] = [];
  for (let seed = first; seed < first + seeds; seed++) {
    outcomes.push([seed, await playTurns(seed, faults)]);
  }
  const lossy = outcomes.filter(([, { missing, gaps }]) => missing.length > 0 && gaps === 0);
  return {
    lossy: lossy.map(([seed, { missing }]) => `seed ${seed}: ${missing.join(' ')}`),
    acked: outcomes.reduce((sum, [, { acked }]) => sum + acked, 0),
  };
}

it('loses nothing without a gap where brokers take turns', async () => {
  const { lossy, acked } = await play(FIRST, SEEDS);
  expect(lossy).toEqual([]);
  expect(acked).toBeGreaterThan(100 * SEEDS);
}, 600_000);

it('loses nothing without a gap where a broker dies with what the others have no copy of', async () => {
  const { lossy } = await play(FIRST + 100, SEEDS, { dies: true });
  expect(lossy).toEqual([]);
}, 600_000);

it('finds what is lost where a gateway joins a broker that was out of reach at its head', async () => {
  expect((await play(1, 30, { joinsAtHead: true })).lossy).not.toEqual([]);
}, 60_000);
