// (8) At most so many frames, and so many new topics, a second from one client, with more at once for the burst of
// a start. Two numbers for each and no timer: the level is brought up to date when it is read.

export interface RateState {
  /** How many the client may have right now. */
  allowance: number;
  updatedMs: number;
}

const BURST_SECONDS = 2;

export function freshRate(perSec: number, nowMs: number): RateState {
  return { allowance: perSec * BURST_SECONDS, updatedMs: nowMs };
}

/** Counts one frame; false when it is one too many. */
export function admitFrame(state: RateState, perSec: number, nowMs: number): boolean {
  return admitOne(state, perSec, perSec * BURST_SECONDS, nowMs);
}

/** Counts one of anything; false when it is one too many. `atOnce`: how many after a rest. */
export function admitOne(state: RateState, perSec: number, atOnce: number, nowMs: number): boolean {
  const refilled = state.allowance + ((nowMs - state.updatedMs) / 1_000) * perSec;
  state.allowance = Math.min(atOnce, refilled);
  state.updatedMs = nowMs;
  if (state.allowance < 1) return false;
  state.allowance -= 1;
  return true;
}
