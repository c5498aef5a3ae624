// The StatsD door: once a second, the differences of all counters and the values of all gauges, packed into
// few datagrams. DogStatsD tags. A receiver that is away, or whose name does not resolve, costs nothing and is logged
// once each time.

import { isIP, isIPv6 } from 'node:net';
import { StatsD } from 'hot-shots';
import { every, nextTurn } from './clock.ts';
import type { Log } from './log.ts';
import { errorFields } from './log.ts';
import type { Metrics } from './metrics.ts';
import { resolveHost } from './resolve-host.ts';
import { hasHeraldIdInStatsd } from './metrics-catalogue.ts';

export interface StatsdTarget {
  host: string;
  port: number;
}

const STATSD_FLUSH_MS = 1_000;
/** Series sent in one turn of the event loop: a Herald of 1,000 gateways has 6,000, at some 7 us each. */
const SERIES_PER_TURN = 250;

export interface StatsdOptions {
  metrics: Metrics;
  target: StatsdTarget;
  /** The daemon that sends. */
  id: string;
  log: Log;
  resolve?: typeof resolveHost;
}

/** Starts flushing; the returned function flushes once more and closes the socket. */
export function startStatsd(options: StatsdOptions): () => Promise<void> {
  const { metrics, target, id, log, resolve = resolveHost } = options;
  let complained = false;
  let failing = false;
  const onError = (error: Error): void => {
    failing = true;
    if (!complained) log.warn('statsd-unreachable', { host: target.host, ...errorFields(error) });
    complained = true;
  };
  const address = resolve(target.host, onError);
  const client = new StatsD({
    host: target.host,
    port: target.port,
    // By default each datagram asks the resolver, and a silent resolver holds the threads that also write files.
    udpSocketOptions: {
      type: isIPv6(target.host) ? 'udp6' : 'udp4',
      lookup: (host, _family, done) => done(null, isIP(host) ? host : (address() ?? host), 4),
    },
    // Below the smallest common MTU, so that a datagram is never fragmented.
    maxBufferSize: 1_432,
    bufferFlushInterval: STATSD_FLUSH_MS,
    errorHandler: onError,
  });
  let sent = new Map<string, number>();
  let underWay: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    // The name has not resolved yet; counters go out in full with the first flush after it has.
    if (address() === undefined) return;
    if (complained && !failing) log.info('statsd-reachable', { host: target.host });
    complained = failing;
    failing = false;
    // Rebuilt each time, so that a forgotten series leaves and starts from zero if it comes back.
    const now = new Map<string, number>();
    const [counters, gauges] = [metrics.counters(), metrics.gauges()];
    let series = 0;
    for (const { name, tags, total } of counters) {
      if (++series % SERIES_PER_TURN === 0) await nextTurn();
      const key = `${name} ${JSON.stringify(tags)}`;
      now.set(key, total);
      const before = sent.get(key);
      // Below what was sent: forgotten and counted anew between two flushes.
      const difference = before === undefined || total < before ? total : total - before;
      // A new series is announced even at zero, so that a panel shows "none yet" and not "no data".
      if (difference !== 0 || before === undefined) client.increment(name, difference, { ...tags });
    }
    sent = now;
    for (const { name, tags, value } of gauges) {
      if (++series % SERIES_PER_TURN === 0) await nextTurn();
      client.gauge(name, value, { ...tags, ...(hasHeraldIdInStatsd(name) && { id }) });
    }
  };
  const stop = every(STATSD_FLUSH_MS, () => {
    underWay ??= flush().finally(() => (underWay = undefined));
  });
  return async () => {
    stop();
    await underWay;
    await flush();
    await new Promise<void>((resolve) => {
      client.close(() => resolve());
    });
  };
}
