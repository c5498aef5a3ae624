// (8) Turns the gateway's own numbers into metrics once a second. The hot paths add to plain fields; nothing
// here is called per message.

import { performance } from 'node:perf_hooks';
import type { EventLoopUtilization } from 'node:perf_hooks';
import { every } from '../../daemon/clock.ts';
import type { Counter, Metrics } from '../../daemon/metrics.ts';
import type { Reporter } from '../../reporter/index.ts';
import type { FanOut } from '../clients/fan-out.ts';
import type { GatewayParts } from '../gateway-parts.ts';
import type { Roster } from '../clients/roster.ts';

/** Compressing stops above this use of the loop or of the CPU quota and starts again below the other. */
const PRESSED_ABOVE = 0.85;
const RELAXED_BELOW = 0.7;

export interface MeteredParts {
  metrics: Metrics;
  parts: GatewayParts;
  roster: Roster;
  fanOut: FanOut;
  reporter: Pick<Reporter, 'snapshot'> | undefined;
}

export function startGatewayMeters({ metrics, parts, roster, fanOut, reporter }: MeteredParts): () => void {
  const { hub, link } = parts;
  const tags = { gateway: parts.id };
  const grow = growth();
  const messagesIn = metrics.counter('gateway.messages_in', tags);
  const delivered = metrics.counter('gateway.messages_delivered', tags);
  const bytes = metrics.counter('gateway.bytes_delivered', tags);
  const closedDrops = metrics.counter('gateway.messages_dropped', { ...tags, cause: 'closed' });
  const slowDrops = metrics.counter('gateway.messages_dropped', { ...tags, cause: 'slow-consumer' });
  const gaps = metrics.counter('gateway.gaps', tags);
  const reportFailures = metrics.counter('gateway.report_failures', tags);
  const connections = metrics.gauge('gateway.connections', tags);
  const buffered = metrics.gauge('gateway.buffered_bytes', tags);
  const subscriptions = metrics.gauge('gateway.subscriptions', tags);
  const brokers = metrics.gauge('gateway.brokers', tags);
  const lag = metrics.timing('gateway.delivery_lag', tags);
  let lastLoop: EventLoopUtilization = performance.eventLoopUtilization();

  const flush = (): void => {
    const { ledger } = hub;
    grow(messagesIn, ledger.received);
    grow(delivered, ledger.delivered + ledger.replayed);
    grow(bytes, parts.deliveredBytes);
    grow(closedDrops, ledger.dropped.closed);
    grow(slowDrops, ledger.dropped['slow-consumer']);
    grow(gaps, ledger.gapMessages);
    grow(reportFailures, reporter?.snapshot().failuresTotal ?? 0);
    connections.set(roster.size);
    buffered.set(roster.buffers.bytes);
    subscriptions.set(hub.subscriptions);
    const feed = link.snapshot();
    brokers.set(feed.brokers.filter(({ connected }) => connected).length);
    lag.observe(feed.canaryMs + fanOut.lagMs());
    const { utilization } = performance.eventLoopUtilization(lastLoop);
    lastLoop = performance.eventLoopUtilization();
    // A quota can stop a process whose loop looks idle: what the reporter measured of it counts as well.
    const pressure = Math.max(utilization, reporter?.snapshot().signals.cpu ?? 0);
    hub.compressing = pressure < (hub.compressing ? PRESSED_ABOVE : RELAXED_BELOW);
  };
  const stop = every(1_000, flush);
  return () => {
    stop();
    flush();
  };
}

/** Adds to a counter what its total has grown by since the last time. */
function growth(): (counter: Counter, total: number) => void {
  const seen = new Map<Counter, number>();
  return (counter, total) => {
    counter.add(total - (seen.get(counter) ?? 0));
    seen.set(counter, total);
  };
}
