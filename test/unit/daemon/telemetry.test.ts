import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StartError } from '../../../src/daemon/lifecycle.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { startTelemetry } from '../../../src/daemon/telemetry.ts';

const HERALD = { daemon: 'herald', id: 'h1', statsd: '', log: silentLog };
const GATEWAY = { ...HERALD, daemon: 'gateway', id: 'g1' };

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

describe('the telemetry of a process', () => {
  it('measures itself once a second and ends each timing window', async () => {
    const metrics = createMetrics();
    const stop = startTelemetry({ ...HERALD, metrics });
    const value = (name: string): number =>
      metrics.gauges().find((one) => one.name === name && one.tags['id'] === 'h1')!.value;
    metrics.timing('herald.lookup_duration').observe(4);
    const busyUntilMs = performance.now() + 20;
    while (performance.now() < busyUntilMs) Math.sqrt(busyUntilMs);
    vi.advanceTimersByTime(1_101);
    await expect.poll(() => value('herald.process.descriptors')).toBeGreaterThan(0);
    await stop();
    expect(value('herald.process.cpu')).toBeGreaterThan(0);
    expect(value('herald.process.event_loop')).toBeGreaterThanOrEqual(0);
    expect(value('herald.process.event_loop')).toBeLessThanOrEqual(1);
    expect(value('herald.process.loop_delay')).toBeGreaterThanOrEqual(0);
    expect(value('herald.process.memory_bytes')).toBeGreaterThan(10e6);
    expect(metrics.gauges()).toContainEqual({
      name: 'herald.lookup_duration',
      tags: { stat: 'max' },
      value: 4,
    });
  });

  it('says how long the certificate has left that is served now', async () => {
    const metrics = createMetrics();
    const certificate = {
      files: { tlsCert: '', tlsKey: '' },
      cert: '',
      key: '',
      validToMs: Date.now() + 60_000,
    };
    const stop = startTelemetry({ ...GATEWAY, metrics, certificate });
    const left = (): number =>
      metrics.gauges().find(({ name }) => name === 'herald.process.certificate_seconds')!.value;
    vi.advanceTimersByTime(1_101);
    expect(left()).toBeCloseTo(60, 0);
    certificate.validToMs -= 120_000;
    vi.advanceTimersByTime(1_101);
    expect(left()).toBeCloseTo(-60, 0);
    await stop();
  });

  it('counts the troubles of a daemon that can be degraded, and has no gauge for others', async () => {
    const metrics = createMetrics();
    const troubles = ['the snapshot file cannot be written'];
    const stops = [
      startTelemetry({ ...HERALD, metrics, degraded: () => troubles.length }),
      startTelemetry({ ...GATEWAY, metrics }),
    ];
    const counted = (): unknown[] =>
      metrics.gauges().flatMap(({ name, value }) => (name === 'herald.process.degraded' ? [value] : []));
    vi.advanceTimersByTime(1_101);
    expect(counted()).toEqual([1]);
    troubles.pop();
    vi.advanceTimersByTime(1_101);
    expect(counted()).toEqual([0]);
    for (const stop of stops) await stop();
  });

  it('stops for good', async () => {
    const metrics = createMetrics();
    await startTelemetry({ ...HERALD, metrics })();
    vi.advanceTimersByTime(5_000);
    const cpu = metrics.gauges().find(({ name }) => name === 'herald.process.cpu');
    expect(cpu?.value).toBe(0);
  });

  it('refuses a receiver that is no address, naming the flag', () => {
    const start = (): unknown =>
      startTelemetry({ ...HERALD, metrics: createMetrics(), statsd: 'statsd.local' });
    expect(start).toThrow(StartError);
    expect(start).toThrow('--statsd statsd.local: expected host:port');
  });
});
