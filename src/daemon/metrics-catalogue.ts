// Every metric of every daemon: name, kind, unit, tags, meaning. The StatsD name is the key; Prometheus
// writes it with underscores and `_total` for counters. Dashboards and docs/metrics.md are checked against
// this list.

export interface MetricDefinition {
  kind: 'counter' | 'gauge' | 'timing';
  unit: string;
  tags: readonly string[];
  meaning: string;
}

const counter = (unit: string, tags: readonly string[], meaning: string): MetricDefinition => ({
  kind: 'counter',
  unit,
  tags,
  meaning,
});
const gauge = (unit: string, tags: readonly string[], meaning: string): MetricDefinition => ({
  kind: 'gauge',
  unit,
  tags,
  meaning,
});
const timing = (tags: readonly string[], meaning: string): MetricDefinition => ({
  kind: 'timing',
  unit: 'ms',
  tags: [...tags, 'stat'],
  meaning,
});

const DEFINITIONS = {
  'herald.process.cpu': gauge('cores', ['daemon', 'id'], 'CPU used by this process'),
  'herald.process.event_loop': gauge('ratio', ['daemon', 'id'], 'event-loop utilisation'),
  'herald.process.loop_delay': gauge(
    'ms',
    ['daemon', 'id'],
    'how late the event loop was in the last second, 99th percentile: what all that comes waits',
  ),
  'herald.process.memory_bytes': gauge('bytes', ['daemon', 'id'], 'resident memory'),
  'herald.process.descriptors': gauge('ratio', ['daemon', 'id'], 'open file descriptors over the limit'),
  'herald.process.degraded': gauge(
    'troubles',
    ['daemon', 'id'],
    'what `/readyz` says is wrong while all goes on; of Heralds and brokers',
  ),
  'herald.process.certificate_seconds': gauge(
    's',
    ['daemon', 'id'],
    'until the certificate of the port of clients ends, below zero once it has; only with TLS',
  ),

  'herald.lookups': counter('lookups', ['outcome'], 'lookups answered, by outcome (ok or the refusal code)'),
  'herald.lookup_duration': timing([], 'time to decide a lookup, once it is read'),
  'herald.reports': counter('reports', ['outcome'], 'load reports, by outcome (taken or why not)'),
  'herald.picks': counter('picks', ['gateway'], 'lookups that named this gateway first'),
  'herald.gateways': gauge('gateways', ['state'], 'gateways in the table, by effective state'),
  'herald.gateway.reported_score': gauge(
    'ratio',
    ['gateway'],
    'the tightest signal over its limit, as reported',
  ),
  'herald.gateway.expected_score': gauge('ratio', ['gateway'], 'expected load: what lookups compare'),
  'herald.gateway.reported_connections': gauge('connections', ['gateway'], 'open connections, as reported'),
  'herald.gateway.weight_percent': gauge('percent', ['gateway'], 'agent-check weight'),
  'herald.gateway.breaker_open': gauge(
    '0 or 1',
    ['gateway'],
    'its picks fail, so lookups avoid it until a trial succeeds',
  ),
  'herald.table.age': gauge('ms', [], 'age of the newest report in the table'),
  'herald.table.frozen': gauge('0 or 1', [], 'the mass-loss guard serves the last good table'),
  'herald.table.max_over_mean': gauge('ratio', [], 'hottest gateway over the mean expected load'),
  'herald.brokers': gauge(
    'brokers',
    ['state'],
    'brokers that gateways and publishers are told of, by state; `missing`: ended within the hour without a goodbye',
  ),
  'herald.store.connected': gauge('0 or 1', [], 'the store answers; 0 = degraded, served from memory'),
  'herald.store.writes': counter('writes', ['outcome'], 'table parts written, skipped or failed'),
  'herald.agent_checks': counter('answers', ['outcome'], 'agent-check lines sent, by word'),
  'herald.size.desired': gauge('gateways', ['pool'], 'gateways that the load of the pool asks for'),
  'herald.size.current': gauge('gateways', ['pool'], 'gateways that take lookups'),
  'herald.size.load_sum': gauge('ratio', ['pool'], 'expected load x capacity, all gateways together'),
  'herald.size.load_avg': gauge('ratio', ['pool'], 'mean expected load by capacity'),
  'herald.size.load_max': gauge('ratio', ['pool'], 'expected load of the hottest gateway'),
  'herald.size.target': gauge('ratio', ['pool'], 'load per capacity that the advice aims at'),
  'herald.moves_ordered': counter('connections', ['gateway'], 'connections ordered to move away'),

  'gateway.connections': gauge('connections', ['gateway'], 'open WebSocket connections'),
  'gateway.accepted': counter('connections', ['gateway', 'ticket'], 'connections accepted, by ticket check'),
  'gateway.closed': counter('connections', ['gateway', 'cause'], 'connections closed, by cause'),
  'gateway.messages_in': counter('messages', ['gateway'], 'publications received from brokers'),
  'gateway.messages_delivered': counter('messages', ['gateway'], 'messages written to clients'),
  'gateway.bytes_delivered': counter('bytes', ['gateway'], 'bytes written to clients'),
  'gateway.messages_dropped': counter('messages', ['gateway', 'cause'], 'messages not delivered, by cause'),
  'gateway.gaps': counter('messages', ['gateway'], 'messages flagged to clients as lost'),
  'gateway.buffered_bytes': gauge('bytes', ['gateway'], 'bytes waiting for clients'),
  'gateway.subscriptions': gauge('subscriptions', ['gateway'], 'topic subscriptions of all clients'),
  'gateway.delivery_lag': timing(['gateway'], 'publish to write, on canary messages, beyond the quickest'),
  'gateway.flush_duration': timing(['gateway'], 'time of one fan-out flush'),
  'gateway.trace_hop': timing(
    ['gateway', 'hop'],
    'time a traced message spent on a stretch of its way to the flush',
  ),
  'gateway.deflate_saved_bytes': counter('bytes', ['gateway'], 'bytes not sent thanks to compression'),
  'gateway.brokers': gauge('brokers', ['gateway'], 'brokers that it is connected to'),
  'gateway.report_failures': counter('reports', ['gateway'], 'load reports a Herald did not acknowledge'),

  'broker.messages_in': counter('messages', ['broker'], 'publications accepted from publishers'),
  'broker.messages_out': counter('messages', ['broker'], 'publications handed to the PUB socket'),
  'broker.duplicates': counter('messages', ['broker'], 'publications refused as already seen'),
  'broker.refused': counter('messages', ['broker', 'cause'], 'publications refused, by cause'),
  'broker.repairs': counter('messages', ['broker', 'outcome'], 'messages asked for again by gateways'),
  'broker.topics': gauge('topics', ['broker'], 'topics with a sequence here'),
  'broker.ring_bytes': gauge('bytes', ['broker'], 'memory of the repair rings'),

  'bridge.messages_passed': counter('messages', ['bridge'], 'publications that the other cluster has taken'),
  'bridge.messages_lost': counter(
    'messages',
    ['bridge', 'cause'],
    'publications that the other cluster was to get and did not, by cause',
  ),
} satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof DEFINITIONS;
export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = DEFINITIONS;

/**
 * Every Herald has these gauges, and at a shared StatsD the last to send would win: there they carry the Herald's `id`.
 * Prometheus tells its targets apart by itself.
 */
export function hasHeraldIdInStatsd(name: MetricName): boolean {
  const { kind, tags } = METRICS[name];
  return name.startsWith('herald.') && kind !== 'counter' && !tags.includes('id');
}
