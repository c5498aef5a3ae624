// How late this process's own timers were, moment by moment. The oracle, the proxies and the lookups run in
// this process; what the machine takes from it, it takes from the Heralds too. A limit of milliseconds is
// judged with the lateness of the very same moments added, so that a busy machine is neither blamed on
// Herald nor taken as a reason for a limit that means nothing.

export interface Metronome {
  /**
   * For how long, of the stalls that began before `toMs` and ended after `fromMs`, a timer was due and had
   * not fired; a stall counts to its end, since what was due in it was late by all of it.
   */
  lateMs(fromMs: number, toMs: number): number;
  stop(): void;
}

const PERIOD_MS = 5;
/** Less than this is how timers are. */
const STALL_MS = 1.5;
/** Half an hour of beats that are all late. */
const MAX_KEPT = 360_000;

/** `nowMs` is for its own test, which calls `beat` itself. */
export function startMetronome(nowMs: () => number = () => performance.now()): Metronome & { beat(): void } {
  let stalls: { dueMs: number; firedMs: number }[] = [];
  let dueMs = nowMs() + PERIOD_MS;
  const beat = (): void => {
    const firedMs = nowMs();
    if (firedMs - dueMs > STALL_MS) stalls.push({ dueMs, firedMs });
    if (stalls.length > MAX_KEPT) stalls = stalls.slice(MAX_KEPT / 2);
    dueMs = firedMs + PERIOD_MS;
  };
  const timer = setInterval(beat, PERIOD_MS);
  return {
    beat,
    lateMs: (fromMs, toMs) =>
      stalls
        .filter((stall) => stall.firedMs > fromMs && stall.dueMs < toMs)
        .reduce((sum, stall) => sum + stall.firedMs - Math.max(stall.dueMs, fromMs), 0),
    stop: () => clearInterval(timer),
  };
}
