// How late the event loop is: what everything that reaches this process waits for it, whether it is busy itself or has not
// been given the CPU.

import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;

export interface LoopDelayMeter {
  /** 99th percentile since it was last asked. */
  p99Ms(): number;
  close(): void;
}

export function createLoopDelayMeter(): LoopDelayMeter {
  const intervals = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  intervals.enable();
  return {
    p99Ms() {
      // The whole interval between two ticks, in ns; the delay is what passes its resolution.
      const delayMs = Math.max(0, intervals.percentile(99) / 1e6 - RESOLUTION_MS);
      intervals.reset();
      return delayMs;
    },
    close: () => void intervals.disable(),
  };
}
