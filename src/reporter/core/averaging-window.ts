// (1) Turns cumulative counters into ratios over the last 2 s, the window for which the weight of young connections is
// computed (`w` in docs/policy.md).

import { AVERAGING_WINDOW_MS } from '../../protocol/young-connections.ts';

/** Cumulative values at one moment; none may fall. */
export interface CumulativeSample {
  atMs: number;
  /** CPU time of this process, microseconds. */
  cpuUs: number;
  loopActiveMs: number;
  loopIdleMs: number;
  /** Scheduler periods of the quota, and those in which it stopped the group. 0 without a quota. */
  quotaPeriods: number;
  quotaThrottled: number;
  /** CPU time of the whole group under the quota, microseconds; 0 when not known. */
  groupCpuUs: number;
}

export interface WindowRatios {
  /** Of the allowed cores; the group's use of its quota when that is tighter than the process's own. */
  cpu: number;
  throttled: number;
  eventLoop: number;
}

export interface AveragingWindow {
  push(sample: CumulativeSample): void;
  /** Ratios over the window, or undefined until two samples are known. */
  ratios(allowedCores: number): WindowRatios | undefined;
}

export function createAveragingWindow(): AveragingWindow {
  let samples: CumulativeSample[] = [];
  return {
    push(sample) {
      // A process that is moved to another group sees the counters of that one, which may be lower.
      const last = samples.at(-1);
      if (last && (sample.quotaPeriods < last.quotaPeriods || sample.groupCpuUs < last.groupCpuUs)) {
        samples = [];
      }
      samples.push(sample);
      // One sample older than the window stays: it is where the window begins.
      while (samples.length > 2 && samples[1]!.atMs <= sample.atMs - AVERAGING_WINDOW_MS) samples.shift();
    },
    ratios(allowedCores) {
      const first = samples[0];
      const last = samples.at(-1);
      if (!first || !last || last.atMs <= first.atMs) return undefined;
      const allowedUs = (last.atMs - first.atMs) * 1_000 * allowedCores;
      const periods = last.quotaPeriods - first.quotaPeriods;
      const active = last.loopActiveMs - first.loopActiveMs;
      const idle = last.loopIdleMs - first.loopIdleMs;
      return {
        cpu: Math.max(last.cpuUs - first.cpuUs, last.groupCpuUs - first.groupCpuUs, 0) / allowedUs,
        throttled: periods > 0 ? Math.min(1, (last.quotaThrottled - first.quotaThrottled) / periods) : 0,
        eventLoop: active + idle > 0 ? Math.min(1, Math.max(0, active / (active + idle))) : 0,
      };
    },
  };
}
