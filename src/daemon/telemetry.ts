// Starts what every daemon does with its numbers: roll the timing windows, watch its own CPU and memory,
// flush to StatsD when one is configured.

import { performance } from 'node:perf_hooks';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { every } from './clock.ts';
import { parseAddress } from './address.ts';
import type { Log } from './log.ts';
import { createLoopDelayMeter } from './loop-delay.ts';
import type { Metrics } from './metrics.ts';
import { startStatsd } from './metrics-statsd.ts';
import { COUNT_DESCRIPTORS_EVERY_MS, createDescriptorMeter } from './open-descriptors.ts';
import { createResidentMeter } from './resident-memory.ts';
import type { Certificate } from './tls.ts';

export interface TelemetryParts {
  metrics: Metrics;
  daemon: string;
  id: string;
  /** host:port; empty = no StatsD. */
  statsd: string;
  log: Log;
  /** Of the port of clients, where there is one. */
  certificate?: Certificate | undefined;
  /** How many troubles `/readyz` names, where a daemon can be degraded. */
  degraded?: () => number;
}

/** Returns the function that stops it all after one last flush. */
export function startTelemetry(parts: TelemetryParts): () => Promise<void> {
  const { metrics, daemon, id, statsd, log, certificate, degraded } = parts;
  const stopStatsd =
    statsd === '' ? undefined : startStatsd({ metrics, target: parseAddress(statsd, '--statsd'), id, log });
  const tags = { daemon, id };
  const cpu = metrics.gauge('herald.process.cpu', tags);
  const loop = metrics.gauge('herald.process.event_loop', tags);
  const delay = metrics.gauge('herald.process.loop_delay', tags);
  const memory = metrics.gauge('herald.process.memory_bytes', tags);
  const descriptors = metrics.gauge('herald.process.descriptors', tags);
  const certificateSeconds = certificate && metrics.gauge('herald.process.certificate_seconds', tags);
  const troubles = degraded && metrics.gauge('herald.process.degraded', tags);
  const loopDelay = createLoopDelayMeter();
  const residentBytes = createResidentMeter();
  const descriptorsNow = createDescriptorMeter();
  const count = async (): Promise<void> => {
    const now = await descriptorsNow();
    if (now) descriptors.set(now.open / now.limit);
  };
  let lastCpu = process.cpuUsage();
  let lastLoop: EventLoopUtilization = performance.eventLoopUtilization();
  let lastMs = performance.now();
  const stop = every(1_000, () => {
    const nowMs = performance.now();
    const usedUs = process.cpuUsage(lastCpu);
    cpu.set((usedUs.user + usedUs.system) / 1_000 / (nowMs - lastMs));
    loop.set(performance.eventLoopUtilization(lastLoop).utilization);
    delay.set(loopDelay.p99Ms());
    memory.set(residentBytes());
    if (certificate) certificateSeconds?.set((certificate.validToMs - Date.now()) / 1_000);
    if (degraded) troubles?.set(degraded());
    lastCpu = process.cpuUsage();
    lastLoop = performance.eventLoopUtilization();
    lastMs = nowMs;
    metrics.roll();
  });
  void count();
  const stopCounting = every(COUNT_DESCRIPTORS_EVERY_MS, () => void count());
  return async () => {
    stop();
    stopCounting();
    loopDelay.close();
    await stopStatsd?.();
  };
}
