// (1) What a gateway tells the reporter at its start, and asks of it later.

import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { Directive, Signals } from '../protocol/load-report.ts';
import type { LinkSnapshot } from './herald-link.ts';

export interface ReporterCounters {
  /** Open connections. */
  connections: number;
  /** Connections accepted since boot. Without it Herald cannot tell tickets in flight from arrivals. */
  acceptedTotal?: number;
  /** Accepted connections by the Herald whose ticket they carried, since boot. */
  tickets?: Readonly<Record<string, { admitted: number }>>;
  /** Hard cap this gateway enforces; absent = none. */
  maxConnections?: number;
  /** Whether messages are compressed just now; absent = this server never does. */
  compressing?: boolean;
  /** Weight of connections the signals do not show yet; absent = estimated from `acceptedTotal`. */
  youngConnections?: number;
}

/** Signals of one's own. A key given as `undefined` removes what the reporter measured itself. */
export type SignalOverrides = { [K in keyof Signals]?: Signals[K] | undefined };

export interface ReporterOptions {
  /** Control URLs of Heralds to start from; the rest is learned from their replies. */
  heralds: readonly string[];
  /** Id of this gateway, unique in the fleet. */
  gateway: string;
  /** The `ws:` or `wss:` URL that clients shall open. */
  url: string;
  pool?: string;
  zone?: string;
  labels?: Readonly<Record<string, string>>;
  /** Relative size; 1 = one reference core. */
  capacity?: number;
  /** Time in which a new connection grows to its full load, 10,000 unless given; 0 = it costs that at once. */
  rampMs?: number;
  /** Cluster secret, at least 16 characters; signs every report. */
  secret?: string;
  /** The one before a rotation, for Heralds that do not know the new one yet. */
  previousSecret?: string;
  /** Period until a Herald names another; 500 unless given. */
  periodMs?: number;
  /** Read about ten times a second, so it must be cheap; what it throws ends the process, as in any timer. */
  counters: () => ReporterCounters;
  signals?: () => SignalOverrides;
  /** Each order arrives once, whoever repeats it. What it throws, or rejects with, is logged as `callback-failed`. */
  onDirective?: (directive: Directive, heraldId: string) => unknown;
  /** Called with the list in each reply that has one: all brokers there are, and how long each was silent. */
  onBrokers?: (brokers: BrokerAddress[]) => unknown;
  /** Where it tells of trouble, once per change; `console` fits. Unless given, process warnings (HeraldReporter). */
  log?: Log;
  clock?: Clock;
  /** In [0, 1); spreads periods and retries. */
  random?: () => number;
}

const NAMES: Record<keyof ReporterOptions, true> = {
  heralds: true,
  gateway: true,
  url: true,
  pool: true,
  zone: true,
  labels: true,
  capacity: true,
  rampMs: true,
  secret: true,
  previousSecret: true,
  periodMs: true,
  counters: true,
  signals: true,
  onDirective: true,
  onBrokers: true,
  log: true,
  clock: true,
  random: true,
};
export const OPTION_NAMES: readonly string[] = Object.keys(NAMES);

export interface ReporterSnapshot {
  gateway: string;
  bootId: string;
  seq: number;
  periodMs: number;
  state: 'up' | 'draining';
  /** Cores the CPU ratio is measured against. */
  allowedCores: number;
  signals: Signals;
  /** Reports that a Herald did not acknowledge, since the start, over all Heralds. */
  failuresTotal: number;
  heralds: LinkSnapshot[];
}

export interface Reporter {
  /** Tells every Herald that this gateway leaves, then stops. Takes at most 1.5 s, never rejects. */
  close(): Promise<void>;
  /** Reports now and resolves when every Herald answered or failed to. */
  flush(): Promise<void>;
  /** `draining` = name this gateway no more; told at once. */
  setState(state: 'up' | 'draining'): void;
  /** What to add to the clock's `nowMs` to get that Herald's ticket clock; undefined while unknown. */
  ticketClockOffsetMs(heraldId: string): number | undefined;
  snapshot(): ReporterSnapshot;
}
