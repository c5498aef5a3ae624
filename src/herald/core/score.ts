// (2) The score of a gateway: the tightest of its signals over their limits. One score serves lookup,
// agent-check weight, admission, moving and advice on size, because systems that placed by one signal and
// shed by another oscillated (apache/pulsar PIP-364).

import type { Signals } from '../../protocol/load-report.ts';

/** The value of each signal at which the gateway counts as full (score 1). 0 leaves a signal out. */
export interface ScoreLimits {
  cpu: number;
  eventLoop: number;
  loopDelayP99Ms: number;
  memory: number;
  descriptors: number;
  messagesPerSec: number;
  bytesPerSec: number;
  bufferedBytes: number;
  deliveryLagMs: number;
}

/**
 * CPU and event loop are full at 1. Memory and descriptors are full a little before the kernel says so,
 * because reaching those ends the process. Message and byte rates have no limit that fits every machine: 0
 * until set. Per reference core: rates and buffers are multiplied by the reported capacity.
 */
export const DEFAULT_LIMITS: ScoreLimits = {
  cpu: 1,
  eventLoop: 1,
  loopDelayP99Ms: 250,
  memory: 0.9,
  descriptors: 0.95,
  messagesPerSec: 0,
  bytesPerSec: 0,
  bufferedBytes: 256 * 1024 * 1024,
  deliveryLagMs: 2_000,
};

/** What a signal may not pass: no gateway is a billion times over its limit, and sums must stay finite. */
const MAX_SCORE = 1_000;

/**
 * The tightest signal over its limit, not clamped at 1 so that overloaded gateways still order. A process
 * that its quota stops is slower than its CPU share says: throttling counts as CPU that was wanted and not given.
 */
export function scoreOf(signals: Signals, capacity: number, limits: ScoreLimits): number {
  let score = 0;
  const take = (value: number | undefined, limit: number): void => {
    if (value === undefined || !(limit > 0)) return;
    const ratio = value / limit;
    if (ratio > score) score = ratio;
  };
  take(wantedCpu(signals), limits.cpu);
  take(signals.eventLoop, limits.eventLoop);
  take(signals.loopDelayP99Ms, limits.loopDelayP99Ms);
  take(signals.memory, limits.memory);
  take(signals.descriptors, limits.descriptors);
  take(signals.messagesPerSec, limits.messagesPerSec * capacity);
  take(signals.bytesPerSec, limits.bytesPerSec * capacity);
  take(signals.bufferedBytes, limits.bufferedBytes * capacity);
  take(signals.deliveryLagMs, limits.deliveryLagMs);
  return Math.min(score, MAX_SCORE);
}

function wantedCpu(signals: Signals): number | undefined {
  if (signals.throttled === undefined) return signals.cpu;
  return Math.max(signals.cpu ?? 0, (signals.cpu ?? 0) + 0.5 * signals.throttled, signals.throttled);
}
