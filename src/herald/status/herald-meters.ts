// Feeds the metrics catalogue: counters are looked up once and then added to, gauges are set once a second
// from a snapshot of the table, and a gateway that left takes its series with it.

import type { Counter, Gauge, Metrics } from '../../daemon/metrics.ts';
import type { MetricName } from '../../daemon/metrics-catalogue.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type {
  AutoscaleAdvice,
  GatewaySnapshot,
  GatewayState,
  TableSnapshot,
} from '../core/balancer-types.ts';

export interface HeraldMeters {
  lookup(outcome: string, durationMs: number): void;
  picked(gateway: string): void;
  report(outcome: string): void;
  agentCheck(outcome: string): void;
  moveOrdered(gateway: string, connections: number): void;
  /** Sets the gauges; called once a second. */
  table(snapshot: TableSnapshot): void;
  /** The advice on size, by pool; called once a second. */
  sizes(advices: ReadonlyMap<string, AutoscaleAdvice>): void;
  /** Called once a second. */
  brokers(list: readonly BrokerAddress[], missing: number): void;
  store(connected: boolean): void;
  storeWrite(outcome: string): void;
}

const STATES: readonly GatewayState[] = ['up', 'draining', 'drain', 'maint', 'stale', 'suspect', 'expired'];
const BROKER_STATES: readonly BrokerAddress['state'][] = ['up', 'draining'];
const GATEWAY_GAUGES = {
  'herald.gateway.reported_score': 'reportedScore',
  'herald.gateway.expected_score': 'expectedScore',
  'herald.gateway.reported_connections': 'connections',
  'herald.gateway.weight_percent': 'weightPercent',
} as const satisfies Partial<Record<MetricName, keyof GatewaySnapshot>>;
const GATEWAY_FIGURES = Object.values(GATEWAY_GAUGES);
const GATEWAY_GAUGE_NAMES = [
  'herald.gateway.breaker_open',
  ...(Object.keys(GATEWAY_GAUGES) as MetricName[]),
] as const;

/** The gauges of one gateway, kept because a fleet has thousands and to look one up costs more than to set it. */
interface GatewayGauges {
  /** In the order of GATEWAY_FIGURES. */
  figures: Gauge[];
  breaker: Gauge;
  seenInRound: number;
}

const SIZE_GAUGES = {
  'herald.size.desired': 'desired',
  'herald.size.current': 'current',
  'herald.size.load_sum': 'loadSum',
  'herald.size.load_avg': 'loadAvg',
  'herald.size.load_max': 'loadMax',
  'herald.size.target': 'target',
} as const satisfies Partial<Record<MetricName, keyof AutoscaleAdvice>>;

export function createHeraldMeters(metrics: Metrics): HeraldMeters {
  const outcomes = counters(metrics, 'herald.lookups', 'outcome');
  const duration = metrics.timing('herald.lookup_duration');
  const picks = counters(metrics, 'herald.picks', 'gateway');
  const reports = counters(metrics, 'herald.reports', 'outcome');
  const agentChecks = counters(metrics, 'herald.agent_checks', 'outcome');
  const storeWrites = counters(metrics, 'herald.store.writes', 'outcome');
  const moves = counters(metrics, 'herald.moves_ordered', 'gateway');
  const age = metrics.gauge('herald.table.age');
  const frozen = metrics.gauge('herald.table.frozen');
  const maxOverMean = metrics.gauge('herald.table.max_over_mean');
  const connected = metrics.gauge('herald.store.connected');
  const gateways = new Map<string, GatewayGauges>();
  let round = 0;
  let pools: readonly string[] = [];
  return {
    lookup(outcome, durationMs) {
      outcomes.of(outcome).add(1);
      duration.observe(durationMs);
    },
    picked: (gateway) => picks.of(gateway).add(1),
    report: (outcome) => reports.of(outcome).add(1),
    agentCheck: (outcome) => agentChecks.of(outcome).add(1),
    moveOrdered: (gateway, connections) => moves.of(gateway).add(connections),
    brokers(list, missing) {
      for (const state of BROKER_STATES) {
        metrics.gauge('herald.brokers', { state }).set(list.filter((one) => one.state === state).length);
      }
      metrics.gauge('herald.brokers', { state: 'missing' }).set(missing);
    },
    store: (up) => connected.set(up ? 1 : 0),
    storeWrite: (outcome) => storeWrites.of(outcome).add(1),
    table(snapshot) {
      age.set(snapshot.gateways.length === 0 ? 0 : snapshot.ageMs);
      frozen.set(snapshot.frozen ? 1 : 0);
      const inState = new Map(STATES.map((state) => [state, 0]));
      round++;
      for (const row of snapshot.gateways) {
        inState.set(row.effectiveState, inState.get(row.effectiveState)! + 1);
        let gauges = gateways.get(row.gateway);
        if (gauges === undefined) {
          gauges = openGauges(metrics, row.gateway);
          gateways.set(row.gateway, gauges);
        }
        gauges.seenInRound = round;
        for (let i = 0; i < GATEWAY_FIGURES.length; i++) gauges.figures[i]!.set(row[GATEWAY_FIGURES[i]!]);
        gauges.breaker.set(row.breaker === 'closed' ? 0 : 1);
      }
      for (const [state, count] of inState) metrics.gauge('herald.gateways', { state }).set(count);
      for (const [gateway, { seenInRound }] of gateways) {
        if (seenInRound === round) continue;
        gateways.delete(gateway);
        for (const name of GATEWAY_GAUGE_NAMES) metrics.forget(name, { gateway });
        picks.forget(gateway);
        moves.forget(gateway);
      }
      maxOverMean.set(hottestOverMean(snapshot));
    },
    sizes(advices) {
      for (const [name, field] of Object.entries(SIZE_GAUGES)) {
        for (const [pool, advice] of advices) metrics.gauge(name as MetricName, { pool }).set(advice[field]);
        for (const pool of pools) if (!advices.has(pool)) metrics.forget(name as MetricName, { pool });
      }
      pools = [...advices.keys()];
    },
  };
}

function openGauges(metrics: Metrics, gateway: string): GatewayGauges {
  const [breaker, ...figures] = GATEWAY_GAUGE_NAMES.map((name) => metrics.gauge(name, { gateway }));
  return { figures, breaker: breaker!, seenInRound: 0 };
}

/** Hottest over mean expected load of the gateways that take lookups, by capacity; 1 when there is none. */
function hottestOverMean(snapshot: TableSnapshot): number {
  const up = snapshot.gateways.filter((row) => row.effectiveState === 'up');
  const capacity = up.reduce((sum, row) => sum + row.capacity, 0);
  const mean = up.reduce((sum, row) => sum + row.expectedScore * row.capacity, 0) / capacity;
  const hottest = up.reduce((max, row) => Math.max(max, row.expectedScore), 0);
  return mean > 0 ? hottest / mean : 1;
}

function counters(
  metrics: Metrics,
  name: MetricName,
  tag: string,
): { of(value: string): Counter; forget(value: string): void } {
  const known = new Map<string, Counter>();
  return {
    of(value) {
      let counter = known.get(value);
      if (counter === undefined) {
        counter = metrics.counter(name, { [tag]: value });
        known.set(value, counter);
      }
      return counter;
    },
    forget(value) {
      known.delete(value);
      metrics.forget(name, { [tag]: value });
    },
  };
}
