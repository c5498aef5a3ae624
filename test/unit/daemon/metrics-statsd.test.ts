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

const linesOf = (datagram: Buffer | undefined): string[] => (datagram?.toString() ?? '').split('\n').sort();

/** One second: what was counted until now is flushed, and what was flushed a second ago leaves. */
const second = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000);

/** The lines of each flush so far; a small flush is one datagram. */
async function flushes(count: number): Promise<string[][]> {
  await second();
  await vi.waitFor(() => expect(datagrams.length).toBeGreaterThanOrEqual(count));
  return datagrams.map(linesOf);
}

beforeEach(async () => {
  receiver = createSocket('udp4');
  datagrams = [];
  receiver.on('message', (datagram) => datagrams.push(datagram));
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  // Without jitter the flushes fall on whole seconds.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  metrics = createMetrics();
  stop = startStatsd({
    metrics,
    target: { host: '127.0.0.1', port: receiver.address().port },
    id: 'h1',
    log: silentLog,
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await stop();
  receiver.close();
});

describe('a flush', () => {
  it('sends what a counter grew by, and nothing when it stood still', async () => {
    const lookups = metrics.counter('herald.lookups', { outcome: 'ok' });
    metrics.gauge('herald.table.age').set(7);
    for (let i = 0; i < 10_000; i++) lookups.add(1);
    await second();
    lookups.add(5);
    await second();
    await second();
    expect(await flushes(3)).toEqual([
      ['herald.lookups:10000|c|#outcome:ok', 'herald.table.age:7|g|#id:h1'],
      ['herald.lookups:5|c|#outcome:ok', 'herald.table.age:7|g|#id:h1'],
      ['herald.table.age:7|g|#id:h1'],
    ]);
  });

  it("tells the Heralds' gauges apart, and lets counts add up", async () => {
    metrics.gauge('herald.gateways', { state: 'up' }).set(3);
    metrics.timing('herald.lookup_duration');
    metrics.gauge('herald.process.cpu', { daemon: 'herald', id: 'h1' }).set(1);
    metrics.gauge('gateway.connections', { gateway: 'a' }).set(4);
    metrics.counter('herald.picks', { gateway: 'a' }).add(2);
    await second();
    const [lines] = await flushes(1);
    expect(lines!.filter((line) => !line.includes('stat:'))).toEqual([
      'gateway.connections:4|g|#gateway:a',
      'herald.gateways:3|g|#state:up,id:h1',
      'herald.picks:2|c|#gateway:a',
      'herald.process.cpu:1|g|#daemon:herald,id:h1',
    ]);
  });

  it('announces a counter that has counted nothing, once', async () => {
    metrics.counter('gateway.gaps', { gateway: 'a' });
    metrics.gauge('herald.table.age').set(1);
    await second();
    await second();
    expect(await flushes(2)).toEqual([
      ['gateway.gaps:0|c|#gateway:a', 'herald.table.age:1|g|#id:h1'],
      ['herald.table.age:1|g|#id:h1'],
    ]);
  });

  it('packs many series into few datagrams, none above the smallest common MTU', async () => {
    for (let i = 0; i < 200; i++)
      metrics.gauge('herald.gateway.weight_percent', { gateway: `gw-${i}` }).set(i);
    await second();
    await second();
    await vi.waitFor(() => expect(new Set(datagrams.flatMap(linesOf)).size).toBe(200));
    expect(datagrams.length).toBeLessThan(20);
    for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(1_432);
  });

  it('of a large fleet is sent in turns of the loop, all of it', async () => {
    let read = 0;
    const gauges = Array.from({ length: 1_000 }, (_, i) => ({
      name: 'herald.gateway.weight_percent' as const,
      tags: { gateway: `gw-${i}` },
      get value() {
        read++;
        return i;
      },
    }));
    const target = { host: '127.0.0.1', port: receiver.address().port };
    const stopLarge = startStatsd({
      metrics: { ...createMetrics(), gauges: () => gauges },
      target,
      id: 'h1',
      log: silentLog,
    });
    vi.advanceTimersByTime(1_000);
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(250);
    vi.useRealTimers();
    await stopLarge();
    // One flush that was under way, and the last one.
    expect(read).toBe(2_000);
  });

  it('counts anew after a series was forgotten', async () => {
    metrics.gauge('herald.table.age').set(1);
    metrics.counter('herald.picks', { gateway: 'a' }).add(100);
    await second();
    metrics.forget('herald.picks', { gateway: 'a' });
    metrics.counter('herald.picks', { gateway: 'a' }).add(3);
    await second();
    metrics.forget('herald.picks', { gateway: 'a' });
    await second();
    metrics.counter('herald.picks', { gateway: 'a' }).add(200);
    await second();
    expect((await flushes(4)).map((lines) => lines[0])).toEqual([
      'herald.picks:100|c|#gateway:a',
      'herald.picks:3|c|#gateway:a',
      'herald.table.age:1|g|#id:h1',
      'herald.picks:200|c|#gateway:a',
    ]);
  });

  it('happens once more at the end', async () => {
    metrics.counter('herald.reports', { outcome: 'taken' }).add(9);
    vi.useRealTimers();
    await stop();
    await vi.waitFor(() => expect(datagrams.flatMap(linesOf)).toContain('herald.reports:9|c|#outcome:taken'));
  });
});

describe('a receiver that is away', () => {
  it('is complained of at most once and costs nothing else', async () => {
    receiver.close();
    await once(receiver, 'close');
    const complaints: string[] = [];
    const gone = createMetrics();
    const log = { ...silentLog, warn: (event: string) => void complaints.push(event) };
    const stopGone = startStatsd({ metrics: gone, target: { host: '127.0.0.1', port: 9 }, id: 'h1', log });
    gone.gauge('herald.table.age').set(1);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    await stopGone();
    expect(complaints.length).toBeLessThanOrEqual(1);
    receiver = createSocket('udp4').bind(0, '127.0.0.1');
    await once(receiver, 'listening');
  });

  it('gets what was counted while its name did not resolve, and each outage is told once', async () => {
    const told: string[] = [];
    const note = (event: string): void => void told.push(event);
    const away = createMetrics();
    let fails: (error: Error) => void = () => {};
    const known: { address?: string } = {};
    const target = { host: 'statsd.example.com', port: receiver.address().port };
    const log = { ...silentLog, warn: note, info: note };
    const stopAway = startStatsd({
      metrics: away,
      target,
      id: 'h1',
      log,
      resolve: (_host, onError) => {
        fails = onError;
        return () => known.address;
      },
    });
    const lookups = away.counter('herald.lookups', { outcome: 'ok' });
    for (let at = 0; at < 3; at++) {
      lookups.add(5);
      fails(new Error('EAI_AGAIN'));
      await second();
    }
    expect(told).toEqual(['statsd-unreachable']);
    known.address = '127.0.0.1';
    await second();
    await second();
    await second();
    await vi.waitFor(() => expect(datagrams.flatMap(linesOf)).toContain('herald.lookups:15|c|#outcome:ok'));
    expect(told).toEqual(['statsd-unreachable', 'statsd-reachable']);
    fails(new Error('EAI_AGAIN'));
    await second();
    expect(told).toEqual(['statsd-unreachable', 'statsd-reachable', 'statsd-unreachable']);
    vi.useRealTimers();
    await stopAway();
  });
});
