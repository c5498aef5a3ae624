// How late the event loop of this process was since it was last asked.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Finer would wake the server more often than some of the loads do. */
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

export function watchLoop(): () => { loopP99Ms: number; loopMaxMs: number } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return () => {
    const late = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
    const delays = { loopP99Ms: late(histogram.percentile(99)), loopMaxMs: late(histogram.max) };
    histogram.reset();
    return delays;
  };
}
