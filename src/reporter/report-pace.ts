// (1) When to report: on a jittered period, at once after a large change, and with counters alone when a
// rush of connects adds up to something. Pure; the reporter asks it every tick.

/** A change of the tightest ratio by this much is told at once instead of at the next period. */
const LARGE_CHANGE = 0.1;
/** Half a point of load: below this, an early report would tell Herald nothing it could act on. */
const RUSH_LOAD = 0.005;
/** Early reports keep this distance, which bounds what a rush costs Herald: 10 a second a gateway. */
export const EARLY_REPORT_GAP_MS = 100;
/** Assumed cost of one connection until load shows it: 1,000 connections fill a reference core. */
const ASSUMED_COST = 0.001;
/** The assumption counts as much as this many connections, as in Herald's own estimate. */
const ASSUMED_WEIGHT = 50;
const PERIOD_JITTER = 0.1;

export type ReportKind = 'full' | 'counters';

export interface PaceInput {
  nowMs: number;
  /** The tightest of the ratio signals. */
  load: number;
  /** Connections accepted since boot. */
  accepted: number;
  connections: number;
  capacity: number;
}

export interface ReportPace {
  /** The kind of report due now, if any. The caller sends what it is told: the pace assumes so. */
  due(input: PaceInput): ReportKind | undefined;
  setPeriodMs(periodMs: number): void;
  periodMs(): number;
}

export function createReportPace(initialPeriodMs: number, random: () => number): ReportPace {
  let periodMs = initialPeriodMs;
  let nextFullMs = -Infinity;
  let lastMs = -Infinity;
  let toldLoad = 0;
  let toldAccepted = 0;

  return {
    due({ nowMs, load, accepted, connections, capacity }) {
      const quiet = nowMs - lastMs >= EARLY_REPORT_GAP_MS;
      const changed = Math.abs(load - toldLoad) >= LARGE_CHANGE;
      if (nowMs >= nextFullMs || (changed && quiet)) {
        nextFullMs = nowMs + periodMs * (1 + PERIOD_JITTER * (2 * random() - 1));
        lastMs = nowMs;
        toldLoad = load;
        toldAccepted = accepted;
        return 'full';
      }
      const cost = (load + (ASSUMED_WEIGHT * ASSUMED_COST) / capacity) / (connections + ASSUMED_WEIGHT);
      if (quiet && (accepted - toldAccepted) * cost >= RUSH_LOAD) {
        lastMs = nowMs;
        toldAccepted = accepted;
        return 'counters';
      }
      return undefined;
    },
    setPeriodMs(next) {
      // A shorter period starts now, not after a last long one.
      if (next < periodMs) nextFullMs = Math.min(nextFullMs, lastMs + next);
      periodMs = next;
    },
    periodMs: () => periodMs,
  };
}
