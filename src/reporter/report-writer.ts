// (1) Writes the reports of one gateway, numbered from its boot on.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../daemon/clock.ts';
import type { LoadReport, Signals } from '../protocol/load-report.ts';
import type { Arrivals } from './core/arrivals.ts';
import type { CountedTickets } from './counted-tickets.ts';
import type { ReportKind } from './core/report-pace.ts';
import type { ReporterCounters, ReporterOptions } from './reporter-options.ts';

export interface ReportWriterParts {
  options: ReporterOptions;
  arrivals: Arrivals;
  counted: CountedTickets;
  clock: Clock;
  /** As of now. */
  counters: () => ReporterCounters;
  state: () => 'up' | 'draining';
  signals: () => Signals;
  periodMs: () => number;
}

export interface ReportWriter {
  readonly bootId: string;
  /** Number of the last report. */
  seq(): number;
  /** The next report. */
  report(kind: ReportKind): LoadReport;
  /** The same as JSON; one text for all that ask within one tick of the clock. */
  text(kind: ReportKind): string;
}

export function createReportWriter(parts: ReportWriterParts): ReportWriter {
  const { options, arrivals, counted, clock } = parts;
  const bootId = newBootId(clock.epochMs());
  let seq = 0;
  let shared: { kind: ReportKind; atMs: number; text: string } | undefined;

  const report = (kind: ReportKind): LoadReport => {
    const counters = parts.counters();
    const { connections, acceptedTotal } = counters;
    const youngConnections =
      counters.youngConnections ??
      (acceptedTotal === undefined ? undefined : arrivals.youngConnections(connections, clock.nowMs()));
    seq += 1;
    return {
      v: 1,
      kind,
      gateway: options.gateway,
      url: options.url,
      bootId,
      seq,
      periodMs: parts.periodMs(),
      pool: options.pool ?? 'default',
      zone: options.zone ?? '',
      labels: { ...options.labels },
      capacity: options.capacity ?? 1,
      state: parts.state(),
      connections,
      ...(youngConnections !== undefined && { youngConnections }),
      ...(counters.maxConnections !== undefined && { maxConnections: counters.maxConnections }),
      ...(acceptedTotal !== undefined && { acceptedTotal }),
      ...(counters.compressing !== undefined && { compressing: counters.compressing }),
      tickets: counted.of(counters.tickets ?? {}),
      ...(kind === 'full' && parts.signals()),
    };
  };

  return {
    bootId,
    seq: () => seq,
    report,
    text(kind) {
      const nowMs = clock.nowMs();
      if (shared?.kind !== kind || shared.atMs !== nowMs) {
        shared = { kind, atMs: nowMs, text: JSON.stringify(report(kind)) };
      }
      return shared.text;
    },
  };
}

/** Later boots compare greater, so that of two tables the newer row is known without a shared clock. */
function newBootId(epochMs: number): string {
  return `${Math.trunc(epochMs).toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`;
}
