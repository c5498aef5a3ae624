// (1) -> (2) What a gateway tells Herald (`POST /v1/feedback`, one report or an array) and what Herald answers.
// A shell script can be a gateway: only v, gateway, url, seq and one signal are required.

import type { BrokerAddress } from './broker-address.ts';
import type { Decoded, Fields } from './decode.ts';
import {
  decoding,
  optionalBoolean,
  optionalChoice,
  optionalInteger,
  optionalNumber,
  optionalText,
  readFields,
  refuse,
  requiredInteger,
  requiredText,
} from './decode.ts';
import {
  BOOT_ID_PATTERN,
  BOOT_ID_WORDS,
  ID_PATTERN,
  ID_WORDS,
  isGatewayUrl,
  LABEL_KEY_PATTERN,
  LABEL_VALUE_PATTERN,
  MAX_LABELS,
  PLACE_PATTERN,
  PLACE_WORDS,
} from './names.ts';

/** What a gateway measures. Ratios are of the limit it runs under (cgroup quota, memory limit) and may pass 1. */
export interface Signals {
  /** CPU time used / CPU time allowed by the quota (or the cores), over the last averaging window. */
  cpu?: number;
  /** Share of scheduler periods in which the quota stopped the process. */
  throttled?: number;
  /** Event-loop utilisation: share of time the loop was busy. */
  eventLoop?: number;
  loopDelayP99Ms?: number;
  /** Resident memory / memory limit. */
  memory?: number;
  /** Open file descriptors / limit. */
  descriptors?: number;
  messagesPerSec?: number;
  bytesPerSec?: number;
  /** Bytes accepted for clients and not yet taken by the kernel. */
  bufferedBytes?: number;
  deliveryLagMs?: number;
}

export interface LoadReport extends Signals {
  v: 1;
  /** `full` carries signals; `counters` carries only connections and admissions, sent early in a rush. */
  kind: 'full' | 'counters';
  gateway: string;
  url: string;
  /** Changes with each start of the gateway; a new one resets what was learnt of it. */
  bootId: string;
  /** Grows by one a report within a boot. */
  seq: number;
  periodMs: number;
  pool: string;
  zone: string;
  labels: Record<string, string>;
  /** Relative size; 1 = one reference core. */
  capacity: number;
  state: 'up' | 'draining';
  /** Open connections; absent from gateways that cannot count. */
  connections?: number;
  /** Weight of own connections not yet visible in the signals (`y` in docs/policy.md). */
  youngConnections?: number;
  /** Hard cap the gateway enforces itself; absent = none. */
  maxConnections?: number;
  acceptedTotal?: number;
  /** False while messages go out uncompressed to save CPU; absent from servers that never compress. */
  compressing?: boolean;
  /** Accepted connections by the Herald whose ticket they carried, since boot. */
  tickets: Record<string, { admitted: number }>;
}

/** An amount of work to hand over, in connections and in load (capacity x score). */
export interface ShedOrder {
  orderId: string;
  count: number;
  /** Load to hand over; the gateway stops at whichever of the two it reaches first. */
  work?: number;
  spreadMs: number;
}

export interface DrainOrder {
  orderId: string;
  reason: string;
  spreadMs: number;
  deadlineMs: number;
}

export type Directive = { shed: ShedOrder } | { drain: DrainOrder } | { ready: { orderId: string } };

export interface FeedbackReply {
  /** Reports taken; fewer than sent when some were old or replayed. */
  accepted: number;
  /** How often to report from now on. */
  periodMs: number;
  heraldId: string;
  /** Herald's ticket clock, so that a gateway can judge a ticket's age without sharing a wall clock. */
  nowMs: number;
  /** Control URLs of every live Herald: push to each. */
  heralds: string[];
  brokers?: BrokerAddress[];
  directive?: Directive;
}

export const REPORT_LIMITS = {
  maxReportsPerPost: 256,
  maxBodyBytes: 256 * 1024,
  minPeriodMs: 50,
  maxPeriodMs: 60_000,
  maxConnections: 100_000_000,
  maxHeralds: 64,
} as const;

const RATIO_MAX = 1_000;
const SIGNAL_MAX: Record<keyof Signals, number> = {
  cpu: RATIO_MAX,
  throttled: 1,
  eventLoop: RATIO_MAX,
  loopDelayP99Ms: 3_600_000,
  memory: RATIO_MAX,
  descriptors: RATIO_MAX,
  messagesPerSec: 1e12,
  bytesPerSec: 1e15,
  bufferedBytes: 1e15,
  deliveryLagMs: 86_400_000,
};
export const SIGNAL_NAMES = Object.keys(SIGNAL_MAX) as (keyof Signals)[];

/** Decodes one report. Unknown fields are ignored; one bad field refuses the whole report. */
export function decodeLoadReport(value: unknown): Decoded<LoadReport> {
  return decoding(() => readReport(readFields(value, 'report')));
}

function readReport(from: Fields): LoadReport {
  if (from['v'] !== 1) refuse('v', from['v'], 'the number 1');
  const url = from['url'];
  if (typeof url !== 'string' || !isGatewayUrl(url)) {
    refuse('url', url, 'a ws:// or wss:// URL without credentials or fragment');
  }
  const kind = optionalChoice(from, 'kind', ['full', 'counters'] as const) ?? 'full';
  const report: LoadReport = {
    v: 1,
    kind,
    gateway: requiredText(from, 'gateway', ID_PATTERN, ID_WORDS),
    url,
    bootId: optionalText(from, 'bootId', BOOT_ID_PATTERN, BOOT_ID_WORDS) ?? '',
    seq: requiredInteger(from, 'seq', 0, Number.MAX_SAFE_INTEGER),
    periodMs: optionalNumber(from, 'periodMs', REPORT_LIMITS.minPeriodMs, REPORT_LIMITS.maxPeriodMs) ?? 500,
    pool: optionalText(from, 'pool', PLACE_PATTERN, PLACE_WORDS) || 'default',
    zone: optionalText(from, 'zone', PLACE_PATTERN, PLACE_WORDS) ?? '',
    labels: readLabels(from['labels']),
    capacity: optionalNumber(from, 'capacity', 0.001, 100_000) ?? 1,
    state: optionalChoice(from, 'state', ['up', 'draining'] as const) ?? 'up',
    tickets: readTickets(from['tickets']),
    ...readSignals(from),
    ...readCounters(from),
  };
  if (kind === 'full' && !SIGNAL_NAMES.some((name) => report[name] !== undefined)) {
    refuse('cpu', undefined, `cpu or one other signal in a full report (${SIGNAL_NAMES.join(', ')})`);
  }
  return report;
}

function readSignals(from: Fields): Signals {
  const signals: Signals = {};
  for (const name of SIGNAL_NAMES) {
    const value = optionalNumber(from, name, 0, SIGNAL_MAX[name]);
    if (value !== undefined) signals[name] = value;
  }
  return signals;
}

function readCounters(from: Fields): Partial<LoadReport> {
  const most = REPORT_LIMITS.maxConnections;
  const connections = optionalInteger(from, 'connections', 0, most);
  const youngConnections = optionalNumber(from, 'youngConnections', 0, most);
  const maxConnections = optionalInteger(from, 'maxConnections', 1, most);
  const compressing = optionalBoolean(from, 'compressing');
  const acceptedTotal = optionalInteger(from, 'acceptedTotal', 0, Number.MAX_SAFE_INTEGER);
  return {
    ...(connections !== undefined && { connections }),
    ...(youngConnections !== undefined && { youngConnections }),
    ...(maxConnections !== undefined && { maxConnections }),
    ...(acceptedTotal !== undefined && { acceptedTotal }),
    ...(compressing !== undefined && { compressing }),
  };
}

function readLabels(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  const entries = Object.entries(readFields(value, 'labels'));
  if (entries.length > MAX_LABELS) refuse('labels', entries.length, `at most ${MAX_LABELS} labels`);
  const labels: Record<string, string> = {};
  for (const [key, text] of entries) {
    if (!LABEL_KEY_PATTERN.test(key) || key === '__proto__') {
      refuse('labels', key, 'keys of 1 to 63 of A-Z a-z 0-9 . _ / -');
    }
    if (typeof text !== 'string' || !LABEL_VALUE_PATTERN.test(text)) {
      refuse(`labels.${key}`, text, 'at most 63 of A-Z a-z 0-9 . _ / : -');
    }
    labels[key] = text;
  }
  return labels;
}

function readTickets(value: unknown): Record<string, { admitted: number }> {
  if (value === undefined || value === null) return {};
  const entries = Object.entries(readFields(value, 'tickets'));
  if (entries.length > REPORT_LIMITS.maxHeralds) {
    refuse('tickets', entries.length, `at most ${REPORT_LIMITS.maxHeralds} Heralds`);
  }
  const tickets: Record<string, { admitted: number }> = {};
  for (const [heraldId, counters] of entries) {
    if (!ID_PATTERN.test(heraldId)) refuse('tickets', heraldId, ID_WORDS);
    const admitted = requiredInteger(
      readFields(counters, `tickets.${heraldId}`),
      'admitted',
      0,
      Number.MAX_SAFE_INTEGER,
    );
    tickets[heraldId] = { admitted };
  }
  return tickets;
}
