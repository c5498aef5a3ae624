// (2) What a report does to Herald's belief about a gateway. Counts predict, measurement corrects: between
// full reports the score moves with the number of visible connections times their learned cost; a full
// report then pulls it towards the measured score with a gain that tunes itself. docs/policy.md, "observed".

import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { BASE, CONNECTIONS, COST, INVERSE_CAPACITY, REPORTED, STRIDE, YOUNG } from './gateway-slots.ts';
import type { LeftOut } from './balancer-options.ts';
import { replacing } from './turnover.ts';

/** The fleet's cost stands in for this many connections of one's own: few connections say little. */
const PRIOR_CONNECTIONS = 50;
/** A gateway's learned cost stays within this factor of the fleet's. */
const COST_RANGE = 4;
const ERROR_EWMA = 0.1;
const GAIN_MIN = 0.1;
const GAIN_MAX = 0.8;
/** Measured above predicted by this much is believed at once: overload must not wait for a filter. */
const SURPRISE = 0.08;
const SURPRISE_GAIN = 0.6;
/** Below this share of the load its connections should cause, a report is not believed. */
const LIAR_BELOW = 0.25;
/** Its load is then a guess by the fleet's costs, off by some points either way: count the upper end. */
const LIAR_MARGIN = 1.05;
const FLOOR_SHARE = 0.5;
const FLOOR_FROM = 0.05;
const MAX_LOAD = 1_000_000;

export interface Observation {
  /** Measured score; undefined in a counter-only report. */
  score: number | undefined;
  /** Open connections; undefined when the gateway cannot count. */
  connections: number | undefined;
  youngConnections: number;
  /** Nothing that was known before counts. */
  first: boolean;
}

/** What a gateway is measured by. */
export interface FleetMeasure {
  /** K: score of one connection on capacity 1. */
  cost: number;
  leftOut: LeftOut;
}

/** Takes one accepted report into `record` and `hot`. */
export function observe(
  slots: GatewaySlots,
  record: GatewayRecord,
  seen: Observation,
  { cost: fleetCost, leftOut }: FleetMeasure,
): void {
  const { first } = seen;
  const at = record.slot * STRIDE;
  const counts = seen.connections !== undefined;
  const connections = seen.connections ?? 0;
  const young = leftOut.young ? 0 : Math.min(Math.max(0, seen.youngConnections), connections);
  const visible = Math.max(0, connections - young);
  const fairCost = fleetCost * slots.hot[at + INVERSE_CAPACITY]!;
  const isEmpty = counts && connections === 0;

  if (seen.score !== undefined && counts) {
    record.idleScore = isEmpty ? seen.score : Math.min(first ? 0 : record.idleScore, seen.score);
  }
  let load = first ? (seen.score ?? visible * fairCost) : record.correctedScore;
  const cost = counts ? learnedCost(Math.max(0, load - record.idleScore), visible, fairCost) : fairCost;
  if (!first && counts && record.countsConnections && !leftOut.observer) {
    load = Math.max(0, load + cost * (visible - record.visibleConnections));
  }
  if (first || isEmpty) {
    // Nothing was predicted: the measurement is all there is, and what it was during the start says nothing of noise.
    record.errorMean = 0;
    record.errorSize = 0;
    load = seen.score ?? load;
  } else if (seen.score !== undefined) {
    load = leftOut.observer ? seen.score : corrected(record, load, seen.score);
  }
  load = Math.min(MAX_LOAD, load);

  record.correctedScore = load;
  record.visibleConnections = visible;
  record.countsConnections = counts;
  record.youngConnections = young;
  const hot = slots.hot;
  hot[at + YOUNG] = Math.max(0, young - replacing(record.turnover));
  hot[at + CONNECTIONS] = connections;
  const fairLoad = visible * fairCost;
  // Between full reports the last one stands: else a liar would look half empty in every rush.
  const said = seen.score ?? (first ? undefined : hot[at + REPORTED]!);
  const lies = !leftOut.floor && said !== undefined && fairLoad > FLOOR_FROM && said < LIAR_BELOW * fairLoad;
  // Whoever is not believed about its load is not believed about its costs either.
  hot[at + COST] = lies ? Math.max(cost, fairCost) : cost;
  hot[at + BASE] = leftOut.floor ? load : floored(load, lies, fairLoad);
}

/** c = clamp((x - idle + k0*K/C) / (r + k0), K/C * [1/4, 4]); `load` is x - idle. */
function learnedCost(load: number, visible: number, fairCost: number): number {
  const cost = (load + PRIOR_CONNECTIONS * fairCost) / (visible + PRIOR_CONNECTIONS);
  return Math.min(fairCost * COST_RANGE, Math.max(fairCost / COST_RANGE, cost));
}

/**
 * x += g*e. Errors that keep their sign mean that the prediction is off (gain up), errors that cancel are
 * noise (gain down): g is the square of their mean over their mean size.
 */
function corrected(record: GatewayRecord, predicted: number, measured: number): number {
  const error = measured - predicted;
  record.errorMean += ERROR_EWMA * (error - record.errorMean);
  record.errorSize += ERROR_EWMA * (Math.abs(error) - record.errorSize);
  const lean = record.errorSize > 1e-9 ? record.errorMean / record.errorSize : 0;
  let gain = Math.min(GAIN_MAX, Math.max(GAIN_MIN, lean * lean));
  if (error > SURPRISE) gain = Math.max(gain, SURPRISE_GAIN);
  return Math.max(0, predicted + gain * error);
}

/**
 * The floor against liars: a gateway whose connections should cost `fairLoad` by the fleet's measure counts
 * at least half of it; one that reports under a quarter of it counts all of it, and a little more.
 */
function floored(load: number, lies: boolean, fairLoad: number): number {
  if (!(fairLoad > FLOOR_FROM)) return load;
  return Math.max(load, (lies ? LIAR_MARGIN : FLOOR_SHARE) * fairLoad);
}
