// How old something in the store is, by the store's own clock against the stamp of one's own last write,
// and never by two machines' clocks. Stamps of different leaders are not compared: their clocks may differ
// by anything.

import type { Stamp } from '../../cluster/coordination.ts';

/** One's own last write: the store's stamp and the local monotonic time just before it was sent. */
export interface OwnWrite {
  modifiedMs: number;
  clockEpoch: number;
  sentAtMs: number;
  /** Until its answer came: the write happened somewhere in between, so this is the error of every age. */
  roundTripMs: number;
}

/** A machine's clock may run this much faster or slower than another: an older measure is worth less. */
const DRIFT = 0.001;
/** Stamps are whole milliseconds. */
const STAMP_STEP_MS = 1;

/** The better of two measures of the store's clock; another leader's clock, and one that was set, replaces the old one. */
export function betterWrite(known: OwnWrite | undefined, next: OwnWrite): OwnWrite {
  if (known?.clockEpoch !== next.clockEpoch) return next;
  const sinceMs = next.sentAtMs - known.sentAtMs;
  const driftMs = DRIFT * sinceMs;
  const offMs = Math.abs(next.modifiedMs - known.modifiedMs - sinceMs);
  if (offMs > next.roundTripMs + known.roundTripMs + driftMs + STAMP_STEP_MS) return next;
  return next.roundTripMs <= known.roundTripMs + driftMs ? next : known;
}

/**
 * Age of an entry first seen at `nowMs`, or undefined when nothing tells it. `olderSeenAtMs` is the last time
 * an older version of the same entry was seen on an unbroken watch: the entry is younger than that.
 * Errs to the old side by at most one round trip, since a stale name costs more than a missing one.
 */
export function ageMs(
  stamp: Pick<Stamp, 'modifiedMs' | 'clockEpoch'>,
  own: OwnWrite | undefined,
  olderSeenAtMs: number | undefined,
  nowMs: number,
): number | undefined {
  const bound = olderSeenAtMs === undefined ? undefined : Math.max(0, nowMs - olderSeenAtMs);
  if (own?.clockEpoch !== stamp.clockEpoch) return bound;
  const byStore = Math.max(0, own.modifiedMs + (nowMs - own.sentAtMs) - stamp.modifiedMs);
  return bound === undefined ? byStore : Math.min(bound, byStore);
}
