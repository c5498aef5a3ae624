// What leaves the process for StatsD, read from a real UDP socket; the flush clock is faked.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import type { Metrics } from '../../../src/daemon/metrics.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { startStatsd } from '../../../src/daemon/metrics-statsd.ts';

let receiver: Socket;
let datagrams: Buffer[];
let metrics: Metrics;
let stop: () => Promise<void>;

const lines = (): string[] =>
  datagrams
    .flatMap((datagram) => datagram.toString().split('\n'))
    .filter((line) => line !== '')
    .sort();

/** The lines of one flush of everything that is due. */
async function flushed(): Promise<string[]> {
  datagrams.length = 0;
  await vi.advanceTimersByTimeAsync(1_200);
  await vi.waitFor(() => expect(datagrams).not.toHaveLength(0));
  return lines();
}

beforeEach(async () => {
  receiver = createSocket('udp4');
  datagrams = [];
  receiver.on('message', (datagram) => datagrams.push(datagram));
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  metrics = createMetrics();
  stop = startStatsd(metrics, { host: '127.0.0.1', port: receiver.address().port }, silentLog);
});

afterEach(async () => {
  vi.useRealTimers();
  await stop();
  receiver.close();
});

describe('a flush', () => {
  it('sends what a counter grew by, and nothing when it stood still', async () => {
    const lookups = metrics.counter('herald.lookups', { outcome: 'ok' });
    const age = metrics.gauge('herald.table.age');
    age.set(7);
    for (let i = 0; i < 10_000; i++) lookups.add(1);
    expect(await flushed()).toEqual(['herald.lookups:10000|c|#outcome:ok', 'herald.table.age:7|g']);
    lookups.add(5);
    expect(await flushed()).toEqual(['herald.lookups:5|c|#outcome:ok', 'herald.table.age:7|g']);
    expect(await flushed()).toEqual(['herald.table.age:7|g']);
  });

  it('announces a counter that has counted nothing, once', async () => {
    metrics.counter('gateway.gaps', { gateway: 'a' });
    expect(await flushed()).toEqual(['gateway.gaps:0|c|#gateway:a']);
    metrics.gauge('herald.table.age').set(1);
    expect(await flushed()).toEqual(['herald.table.age:1|g']);
  });

  it('packs many series into few datagrams, none above the smallest common MTU', async () => {
    for (let i = 0; i < 200; i++)
      metrics.gauge('herald.gateway.reported_connections', { gateway: `gw-${i}` }).set(i);
    datagrams.length = 0;
    await vi.advanceTimersByTimeAsync(2_300);
    await vi.waitFor(() => expect(new Set(lines()).size).toBe(200));
    expect(datagrams.length).toBeLessThan(40);
    for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(1_432);
  });

  it('counts anew after a series was forgotten', async () => {
    metrics.gauge('herald.table.age').set(1);
    metrics.counter('herald.picks', { gateway: 'a' }).add(100);
    await flushed();
    metrics.forget('herald.picks', { gateway: 'a' });
    await flushed();
    metrics.counter('herald.picks', { gateway: 'a' }).add(3);
    expect(await flushed()).toContain('herald.picks:3|c|#gateway:a');
  });

  it('happens once more at the end', async () => {
    metrics.counter('herald.reports', { outcome: 'taken' }).add(9);
    vi.useRealTimers();
    await stop();
    await vi.waitFor(() => expect(lines()).toContain('herald.reports:9|c|#outcome:taken'));
  });
});

describe('a receiver that is away', () => {
  it('is complained of at most once and costs nothing else', async () => {
    receiver.close();
    await once(receiver, 'close');
    const complaints: string[] = [];
    const gone = createMetrics();
    const log = { ...silentLog, warn: (event: string) => void complaints.push(event) };
    const stopGone = startStatsd(gone, { host: '127.0.0.1', port: 9 }, log);
    gone.gauge('herald.table.age').set(1);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    await stopGone();
    expect(complaints.length).toBeLessThanOrEqual(1);
    receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
  });
});
