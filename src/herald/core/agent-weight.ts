// (5) The same expected load as HAProxy wants it: a smoothed percentage of 1 - E, changed only in steps of
// at least 2 points. Without the smoothing every report would shuffle HAProxy's tables; without the floor of
// 1 % a fleet over capacity would drain itself.

import type { AgentAnswer } from '../../protocol/agent-check.ts';
import { expectedLoad } from './expected-load.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { REPORTED_AT, STRIDE, WEIGHT } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import type { Pool } from './pool.ts';

/** Weights move once a round of 500 ms, a fifth of the way: about 2 s to follow a step, noise averages out. */
const FOLLOW = 0.2;
/** A gateway that lost this much is squeezed, not noisy: the weight then falls most of the way at once. */
const SQUEEZE_POINTS = 15;
const SQUEEZE_FOLLOW = 0.6;
const STEP_POINTS = 2;

/** One round over a pool. */
export function moveWeights(pool: Pool, slots: GatewaySlots, nowMs: number): void {
  for (const slot of pool.members) {
    const record = slots.records[slot]!;
    const at = slot * STRIDE;
    const target = 100 * Math.max(0, 1 - expectedLoad(slots.hot, at, pool.factors, nowMs));
    const follow = record.smoothWeight - target > SQUEEZE_POINTS ? SQUEEZE_FOLLOW : FOLLOW;
    record.smoothWeight += follow * (target - record.smoothWeight);
    const next = Math.min(100, Math.max(1, Math.round(record.smoothWeight)));
    // The ends of the range are reached exactly, however small the last step.
    const atEnd = next === 1 || next === 100;
    if (atEnd || Math.abs(next - record.weightPercent) >= STEP_POINTS) record.weightPercent = next;
    slots.hot[at + WEIGHT] = record.weightPercent / 100;
  }
}

/** The line for HAProxy. A stale gateway is answered too: HAProxy keeps the last answer for ever. */
export function agentAnswerOf(table: LoadTable, record: GatewayRecord, nowMs: number): AgentAnswer {
  const weightPercent = record.weightPercent;
  const state = table.state(record, nowMs);
  if (state === 'up') return { admin: 'ready', health: 'up', weightPercent };
  if (state === 'maint')
    return { admin: 'maint', health: 'up', weightPercent, reason: record.desired.reason };
  if (state === 'drain')
    return { admin: 'drain', health: 'up', weightPercent, reason: record.desired.reason };
  if (state === 'draining')
    return { admin: 'drain', health: 'up', weightPercent, reason: 'gateway is draining' };
  if (table.massLoss.forgives(record)) {
    return { admin: 'ready', health: 'up', weightPercent, reason: 'frozen: most of the pool is silent' };
  }
  const ageMs = nowMs - table.slots.hot[record.slot * STRIDE + REPORTED_AT]!;
  const reason =
    state === 'suspect' ? 'report connection lost' : `no report for ${Math.round(ageMs / 1_000)} s`;
  return { admin: 'ready', health: 'down', weightPercent, reason };
}
