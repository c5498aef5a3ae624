// (1) Measures this process against the limits it runs under: the only file of the reporter that touches the
// operating system. What the numbers mean is decided in cgroup.ts and averaging-window.ts.

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { createLoopDelayMeter } from '../daemon/loop-delay.ts';
import { COUNT_DESCRIPTORS_EVERY_MS, createDescriptorMeter } from '../daemon/open-descriptors.ts';
import { createResidentMeter } from '../daemon/resident-memory.ts';
import { codeOf } from '../daemon/thrown.ts';
import type { Signals } from '../protocol/load-report.ts';
import { AVERAGING_WINDOW_MS } from '../protocol/young-connections.ts';
import { createAveragingWindow } from './core/averaging-window.ts';
import type { CgroupLimits, ReadText } from './core/cgroup.ts';
import { groupMemoryBytes, parseCpuStat, readCgroupLimits } from './core/cgroup.ts';

/** Limits may be changed under a running container; this often they are read again. */
const LIMITS_EVERY_MS = 10_000;

export interface ProcessSignals {
  /** Takes one sample; call at least twice a window. */
  sample(nowMs: number): void;
  /** The signals as of the last sample. */
  signals(): Signals;
  /** Cores this process may use: the quota, or the cores it may run on. */
  allowedCores(): number;
  close(): void;
}

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (noneLeft(error)) throw error;
    return undefined;
  }
};

/** Every descriptor this process or its machine may have is in use. */
function noneLeft(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes(codeOf(error) ?? '');
}

export function createProcessSignals(): ProcessSignals {
  const window = createAveragingWindow();
  const loopDelay = createLoopDelayMeter();
  const residentBytes = createResidentMeter();
  const descriptorsNow = createDescriptorMeter();

  let limits: CgroupLimits | undefined;
  let limitsAtMs = -Infinity;
  let descriptors: number | undefined;
  let descriptorsAtMs = -Infinity;
  /** Of all processes under the memory limit; 0 = not known. */
  let groupBytes = 0;
  let groupBytesAtMs = -Infinity;
  let delayP99Ms = 0;
  let delayWindowAtMs = -Infinity;
  let open = true;

  const allowedCores = (): number => Math.min(limits?.quotaCores ?? Infinity, availableParallelism());
  const heapLimitBytes = getHeapStatistics().heap_size_limit;

  const countDescriptors = async (): Promise<void> => {
    const now = await descriptorsNow();
    if (open) descriptors = now && now.open / now.limit;
  };
  const readGroup = (nowMs: number): void => {
    if (nowMs - limitsAtMs >= LIMITS_EVERY_MS) {
      limits = readCgroupLimits(readText);
      limitsAtMs = nowMs;
    }
    if (limits?.memory && nowMs - groupBytesAtMs >= AVERAGING_WINDOW_MS) {
      const { usePath, statPath } = limits.memory;
      groupBytes = groupMemoryBytes(readText(usePath) ?? '', readText(statPath) ?? '');
      groupBytesAtMs = nowMs;
    }
    const stat = limits?.statPath === undefined ? undefined : parseCpuStat(readText(limits.statPath) ?? '');
    const usageNs = limits?.usagePath === undefined ? 0 : Number(readText(limits.usagePath) ?? 0) || 0;
    const cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    window.push({
      atMs: nowMs,
      cpuUs: cpu.user + cpu.system,
      loopActiveMs: loop.active,
      loopIdleMs: loop.idle,
      quotaPeriods: stat?.periods ?? 0,
      quotaThrottled: stat?.throttledPeriods ?? 0,
      groupCpuUs: stat?.usageUs ?? usageNs / 1_000,
    });
  };

  return {
    sample(nowMs) {
      if (nowMs - descriptorsAtMs >= COUNT_DESCRIPTORS_EVERY_MS) {
        descriptorsAtMs = nowMs;
        void countDescriptors();
      }
      if (nowMs - delayWindowAtMs >= AVERAGING_WINDOW_MS) {
        delayP99Ms = loopDelay.p99Ms();
        delayWindowAtMs = nowMs;
      }
      try {
        readGroup(nowMs);
      } catch (error) {
        if (!noneLeft(error)) throw error;
        // This sample is left out, and limits stay as they were.
      }
    },
    signals() {
      const ratios = window.ratios(allowedCores());
      const memoryLimitBytes = Math.min(limits?.memory?.bytes ?? Infinity, totalmem());
      return {
        cpu: ratios?.cpu ?? 0,
        throttled: ratios?.throttled ?? 0,
        eventLoop: ratios?.eventLoop ?? 0,
        loopDelayP99Ms: delayP99Ms,
        // The kernel kills in a full group whichever process filled it, so the whole group counts. V8 ends this process
        // at its heap limit, long before a large machine runs out of memory.
        memory: Math.max(
          Math.max(residentBytes(), limits?.memory ? groupBytes : 0) / memoryLimitBytes,
          getHeapStatistics().used_heap_size / heapLimitBytes,
        ),
        ...(descriptors !== undefined && { descriptors }),
      };
    },
    allowedCores,
    close() {
      open = false;
      loopDelay.close();
    },
  };
}
