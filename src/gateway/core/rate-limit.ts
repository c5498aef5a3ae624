// (8) At most so many frames a second from one client, with two seconds' worth at once for the burst of a
// start. Two numbers a client and no timer: the level is brought up to date when it is read.

export interface RateState {
  /** Frames the client may send right now. */
  allowance: number;
  updatedMs: number;
}

export const BURST_SECONDS = 2;

export function freshRate(perSec: number, nowMs: number): RateState {
  return { allowance: perSec * BURST_SECONDS, updatedMs: nowMs };
}

/** Counts one frame; false when it is one too many. */
export function admitFrame(state: RateState, perSec: number, nowMs: number): boolean {
  const refilled = state.allowance + ((nowMs - state.updatedMs) / 1_000) * perSec;
  state.allowance = Math.min(perSec * BURST_SECONDS, refilled);
  state.updatedMs = nowMs;
  if (state.allowance < 1) return false;
  state.allowance -= 1;
  return true;
}
