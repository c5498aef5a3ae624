// (1) When to report: on a jittered period, at once after a large change, and with counters alone when a
// rush of connects adds up to something. The reporter asks every tick, the simulator's gateways every sample.

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

/** What a gateway carries at this moment. */
export interface Carried {
  /** The tightest of the ratio signals. */
  load: number;
  connections: number;
  capacity: number;
}

export interface PaceInput extends Carried {
  nowMs: number;
  /** Connections accepted since boot. */
  accepted: number;
}

export interface ReportPace {
  /** The kind of report due now, if any. The caller sends what it is told: the pace assumes so. */
  due(input: PaceInput): ReportKind | undefined;
  setPeriodMs(periodMs: number): void;
  periodMs(): number;
}

/** Whether so many connections, accepted since the last report, are worth one of their own. */
function isRush(accepted: number, { load, connections, capacity }: Carried): boolean {
  const cost = (load + (ASSUMED_WEIGHT * ASSUMED_COST) / capacity) / (connections + ASSUMED_WEIGHT);
  return accepted * cost >= RUSH_LOAD;
}

/** The time to the next full report. */
function untilNextMs(periodMs: number, random: () => number): number {
  return periodMs * (1 + PERIOD_JITTER * (2 * random() - 1));
}

/** `largeChange` = what is told at once; Infinity where only a rush of connects is. */
export function createReportPace(
  initialPeriodMs: number,
  random: () => number,
  largeChange = LARGE_CHANGE,
): ReportPace {
  let periodMs = initialPeriodMs;
  let nextFullMs = -Infinity;
  let lastMs = -Infinity;
  let toldLoad = 0;
  let toldAccepted = 0;

  return {
    due(input) {
      const { nowMs, load, accepted } = input;
      const quiet = nowMs - lastMs >= EARLY_REPORT_GAP_MS;
      const changed = Math.abs(load - toldLoad) >= largeChange;
      if (nowMs >= nextFullMs || (changed && quiet)) {
        nextFullMs = nowMs + untilNextMs(periodMs, random);
        lastMs = nowMs;
        toldLoad = load;
        toldAccepted = accepted;
        return 'full';
      }
      if (quiet && isRush(accepted - toldAccepted, input)) {
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
