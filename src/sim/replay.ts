// Replays a recording of real reports and lookups (`herald record`) through a fresh core: who would
// have been named under another policy. Loads are as they were recorded: what the other choice would have
// done to them is not known, so this judges decisions over minutes, not fleets over hours.

import { createBalancer } from '../herald/core/balancer.ts';
import type { PoolPolicy } from '../herald/core/balancer-options.ts';
import type { PolicyName } from '../herald/core/balancer-types.ts';
import type { Decoded, Fields } from '../protocol/decode.ts';
import { decodeJson, decoding, readFields, refuse } from '../protocol/decode.ts';
import type { LoadReport } from '../protocol/load-report.ts';
import { decodeLoadReport } from '../protocol/load-report.ts';
import type { LookupRequest } from '../protocol/lookup.ts';
import { decodeLookupQuery, encodeLookupQuery } from '../protocol/lookup.ts';
import { seededRandom } from './chance.ts';

export type RecordedEvent =
  | { atMs: number; report: LoadReport; lookup?: undefined }
  | { atMs: number; lookup: LookupRequest; report?: undefined };

export interface ReplayOptions {
  policy: PolicyName;
  seed: number;
  pool?: Partial<PoolPolicy>;
}

export interface ReplayResult {
  policy: PolicyName;
  reports: number;
  reportsRefused: number;
  lookups: number;
  refused: Record<string, number>;
  /** Lookups that named each gateway. */
  named: Record<string, number>;
  /** Highest over mean of `named`, over gateways named or reporting. */
  maxMean: number;
  /** Longest run of lookups in a row that named the same gateway: what a herd looks like. */
  longestRun: number;
}

/** Each 100 ms of a recording are lived through, also those in which nothing came. */
const LONGEST_MS = 100 * 86_400_000;

/** One line of a recording: `{"t": ms, "report": {...}}` or `{"t": ms, "lookup": {...}}`. */
export function decodeRecordedLine(line: string): Decoded<RecordedEvent> {
  const json = decodeJson(line, 'line');
  if (!json.ok) return json;
  return decoding(() => {
    const from = readFields(json.value, 'line');
    const atMs = from['t'];
    if (typeof atMs !== 'number' || !(atMs >= 0 && atMs <= LONGEST_MS))
      refuse('t', atMs, 'milliseconds from 0, a hundred days at most');
    if (from['report'] !== undefined) {
      const report = decodeLoadReport(from['report']);
      if (!report.ok) return refuse(report.refusal.field, report.refusal.received, report.refusal.expected);
      return { atMs: atMs, report: report.value };
    }
    const lookup = decodeLookupQuery(encodeLookupQuery(readAsked(readFields(from['lookup'], 'lookup'))));
    if (!lookup.ok) return refuse(lookup.refusal.field, lookup.refusal.received, lookup.refusal.expected);
    return { atMs: atMs, lookup: lookup.value };
  });
}

/** Fields of the right shape; what they hold is judged as a query. */
function readAsked(from: Fields): Partial<LookupRequest> {
  const { labels, exclude, preferred } = from;
  if (labels !== undefined) readFields(labels, 'lookup.labels');
  if (exclude !== undefined && !Array.isArray(exclude)) refuse('lookup.exclude', exclude, 'an array');
  if (preferred !== undefined) {
    if (!Array.isArray(preferred)) return refuse('lookup.preferred', preferred, 'an array');
    for (const one of preferred) readFields(one, 'lookup.preferred[]');
  }
  return from;
}

const TICK_MS = 100;

/** Events are in the order of their times; where those go back, the recording Herald was started again. */
export function replay(events: Iterable<RecordedEvent>, options: ReplayOptions): ReplayResult {
  // The recorded ticket counters are about other Heralds' tickets; total accepts stand for ours.
  const balancer = createBalancer({
    heraldId: 'replay',
    random: seededRandom(options.seed),
    defaultPool: { ...options.pool, policy: options.policy },
    explainLookups: 0,
  });
  const named = new Map<string, number>();
  const refused = new Map<string, number>();
  const result = { reports: 0, reportsRefused: 0, lookups: 0, longestRun: 0 };
  let tickedAtMs: number | undefined;
  let before = '';
  let run = 0;
  let startedMs = 0;
  let nowMs = 0;
  for (const event of events) {
    if (startedMs + event.atMs < nowMs) startedMs = nowMs - event.atMs;
    nowMs = startedMs + event.atMs;
    for (tickedAtMs ??= nowMs; tickedAtMs <= nowMs; tickedAtMs += TICK_MS) balancer.tick(tickedAtMs);
    if (event.report) {
      result.reports++;
      if (!balancer.report({ ...event.report, tickets: {} }, nowMs).taken) result.reportsRefused++;
      else named.set(event.report.gateway, named.get(event.report.gateway) ?? 0);
      continue;
    }
    result.lookups++;
    const verdict = balancer.lookup({ ...event.lookup, failedTicket: '' }, nowMs);
    if (!verdict.ok) {
      refused.set(verdict.code, (refused.get(verdict.code) ?? 0) + 1);
      continue;
    }
    const { gateway } = verdict.best;
    named.set(gateway, (named.get(gateway) ?? 0) + 1);
    run = gateway === before ? run + 1 : 1;
    before = gateway;
    result.longestRun = Math.max(result.longestRun, run);
  }
  const counts = [...named.values()];
  const mean = counts.reduce((sum, count) => sum + count, 0) / Math.max(1, counts.length);
  return {
    policy: options.policy,
    ...result,
    refused: Object.fromEntries(refused),
    named: Object.fromEntries(named),
    maxMean: mean > 0 ? Math.max(...counts) / mean : 0,
  };
}
