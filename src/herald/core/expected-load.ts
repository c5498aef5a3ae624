// (5) E, the load a gateway is expected to carry once everything already sent to it has arrived. This is what
// lookups compare; docs/policy.md explains each term. Runs d times a lookup: no allocation, no calls out.

import {
  ASSIGNED,
  ASSIGNED_AT,
  BAR,
  BASE,
  COST,
  INVERSE_CAPACITY,
  LATE_AFTER,
  PENDING,
  REPORTED_AT,
  YOUNG,
} from './gateway-slots.ts';

const STALE_PER_MS = 0.02 / 1000;
const STALE_MAX = 0.3;
const ASSIGNED_WINDOW_MS = 1_000;
/**
 * Most that lookups alone, before any connection confirms them, may add to the load by which a client is
 * refused (not to the load by which gateways are compared). Asking is free: a fleet that is measured half
 * empty must not be closed by it.
 */
export const UNCONFIRMED_MOST = 0.4;

/** The two factors of a pool that every gateway shares; renewed a few times a second. */
export interface FleetFactors {
  /** s*p: pending tickets of all Heralds per own one, times the share of tickets that become connections. */
  pending: number;
  /** s*p*h: handshake CPU seconds per assignment of one's own. */
  handshake: number;
}

/** E of the gateway whose fields start at `at`, breaker's bar included. */
export function expectedLoad(hot: Float64Array, at: number, factors: FleetFactors, nowMs: number): number {
  return (
    hot[at + BASE]! +
    hot[at + COST]! * (hot[at + YOUNG]! + factors.pending * hot[at + PENDING]!) +
    handshakeLoad(hot, at, factors, nowMs) +
    stalePenalty(hot, at, nowMs) +
    hot[at + BAR]!
  );
}

/** E of a gateway as a load to be shared out: an open breaker says whether it is named, not what it carries. */
export function unbarredLoad(hot: Float64Array, at: number, factors: FleetFactors, nowMs: number): number {
  return expectedLoad(hot, at, factors, nowMs) - hot[at + BAR]!;
}

/** Load of the handshakes now going on: s*p*rho*h/C. */
export function handshakeLoad(hot: Float64Array, at: number, factors: FleetFactors, nowMs: number): number {
  return factors.handshake * assignedPerCapacity(hot, at, nowMs);
}

/** What nothing but our own lookups speaks for: tickets in flight and their handshakes. */
export function unconfirmedLoad(hot: Float64Array, at: number, factors: FleetFactors, nowMs: number): number {
  return hot[at + COST]! * factors.pending * hot[at + PENDING]! + handshakeLoad(hot, at, factors, nowMs);
}

/** rho/C: own assignments to it over the last second, per capacity. */
export function assignedPerCapacity(hot: Float64Array, at: number, nowMs: number): number {
  const assigned = hot[at + ASSIGNED]!;
  if (assigned < 1e-3) return 0;
  const sinceMs = Math.max(0, nowMs - hot[at + ASSIGNED_AT]!);
  return assigned * Math.exp(-sinceMs / ASSIGNED_WINDOW_MS) * hot[at + INVERSE_CAPACITY]!;
}

/** Two points of load a second from the third missed report on: what is not known may have grown. */
export function stalePenalty(hot: Float64Array, at: number, nowMs: number): number {
  const lateMs = nowMs - hot[at + REPORTED_AT]! - hot[at + LATE_AFTER]!;
  return lateMs > 0 ? Math.min(STALE_MAX, lateMs * STALE_PER_MS) : 0;
}

/** rho: one more assignment to the gateway at `at`. */
export function countAssignment(hot: Float64Array, at: number, nowMs: number): void {
  const sinceMs = Math.max(0, nowMs - hot[at + ASSIGNED_AT]!);
  hot[at + ASSIGNED] = hot[at + ASSIGNED]! * Math.exp(-sinceMs / ASSIGNED_WINDOW_MS) + 1;
  hot[at + ASSIGNED_AT] = nowMs;
}
