// (5) The same expected load as HAProxy wants it: a smoothed percentage of 1 - E, changed only in steps of
// at least 2 points. Without the smoothing every report would shuffle HAProxy's tables; without the floor of
// 1 % a fleet over capacity would drain itself. HAProxy learns of a squeezed gateway at its very next question:
// a second lies between two questions already, and a round of ours would come on top.

import type { AgentAnswer } from '../../protocol/agent-check.ts';
import { expectedLoad } from './expected-load.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { REPORTED_AT, STRIDE, WEIGHT } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import type { Pool } from './pool.ts';
import { PAUSED } from './sleep-guard.ts';

/** Weights move once a round of 500 ms, a fifth of the way: about 2 s to follow a step, noise averages out. */
const FOLLOW = 0.2;
/**
 * A gateway that lost this much is squeezed, not noisy: its weight falls at once to what the observer, which
 * damps a single report, makes of it.
 */
const SQUEEZE_POINTS = 15;
const STEP_POINTS = 2;

/** One round over a pool. */
export function moveWeights(pool: Pool, slots: GatewaySlots, nowMs: number): void {
  for (const slot of pool.members) {
    const record = slots.records[slot]!;
    const target = targetWeight(pool, slots, slot, nowMs);
    const lost = record.smoothWeight - target;
    setWeight(slots, record, lost > SQUEEZE_POINTS ? target : record.smoothWeight - FOLLOW * lost);
  }
}

function targetWeight(pool: Pool, slots: GatewaySlots, slot: number, nowMs: number): number {
  return 100 * Math.max(0, 1 - expectedLoad(slots.hot, slot * STRIDE, pool.factors, nowMs));
}

function setWeight(slots: GatewaySlots, record: GatewayRecord, smoothWeight: number): void {
  record.smoothWeight = smoothWeight;
  const next = Math.min(100, Math.max(1, Math.round(smoothWeight)));
  // The ends of the range are reached exactly, however small the last step.
  const atEnd = next === 1 || next === 100;
  if (atEnd || Math.abs(next - record.weightPercent) >= STEP_POINTS) record.weightPercent = next;
  slots.hot[record.slot * STRIDE + WEIGHT] = record.weightPercent / 100;
}

/** The line for HAProxy. A stale gateway is answered too: HAProxy keeps the last answer for ever. */
export function agentAnswerOf(table: LoadTable, record: GatewayRecord, nowMs: number): AgentAnswer {
  const pool = table.poolOf(record);
  const target = targetWeight(pool, table.slots, record.slot, nowMs);
  if (record.smoothWeight - target > SQUEEZE_POINTS) setWeight(table.slots, record, target);
  const weightPercent = record.weightPercent;
  table.catchUp(pool, nowMs);
  const state = table.state(record, nowMs);
  if (state === 'up') return { admin: 'ready', health: 'up', weightPercent };
  if (state === 'maint' || state === 'drain') {
    return { admin: state, health: 'up', weightPercent, reason: record.desired.reason };
  }
  if (state === 'draining') {
    return { admin: 'drain', health: 'up', weightPercent, reason: 'gateway is draining' };
  }
  const excuse = excuseOf(table, record, nowMs);
  if (excuse !== undefined) return { admin: 'ready', health: 'up', weightPercent, reason: excuse };
  const ageMs = nowMs - table.slots.hot[record.slot * STRIDE + REPORTED_AT]!;
  const reason =
    state === 'suspect' ? 'report connection lost' : `no report for ${Math.round(ageMs / 1_000)} s`;
  return { admin: 'ready', health: 'down', weightPercent, reason };
}

/** Why its silence is no reason to call it down: the fault is probably ours. HAProxy obeys a "down" for a whole interval. */
function excuseOf(table: LoadTable, record: GatewayRecord, nowMs: number): string | undefined {
  if (table.sleep.wokeUp()) return PAUSED;
  if (!table.massLoss.forgives(record)) table.judgeSilent(table.poolOf(record), nowMs);
  return table.massLoss.forgives(record) ? 'frozen: most of the pool is silent' : undefined;
}
