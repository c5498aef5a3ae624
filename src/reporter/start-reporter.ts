// (1) Wires sampler, pace and links: a report a period to every Herald known, sooner when something happens.

import { randomBytes } from 'node:crypto';
import { atMost, every, systemClock } from '../daemon/clock.ts';
import type { Log, LogFields } from '../daemon/log.ts';
import { errorFields, silentLog } from '../daemon/log.ts';
import { refusalText, shown } from '../protocol/decode.ts';
import type { FeedbackReply, LoadReport, Signals } from '../protocol/load-report.ts';
import { decodeLoadReport } from '../protocol/load-report.ts';
import { createArrivals } from './arrivals.ts';
import type { HeraldLink } from './herald-link-undici.ts';
import { openHeraldLink } from './herald-link-undici.ts';
import { createHeraldList } from './herald-list.ts';
import { createOrderMemory } from './order-memory.ts';
import { createProcessSignals } from './process-signals.ts';
import type { ReportKind } from './report-pace.ts';
import { createReportPace, EARLY_REPORT_GAP_MS } from './report-pace.ts';
import type { Reporter, ReporterOptions } from './reporter-options.ts';

const DEFAULT_PERIOD_MS = 500;
/** A goodbye that nobody hears must not hold up a shutdown; age will tell Herald anyway. */
const MAX_CLOSE_MS = 1_500;

const warn = (event: string, fields: LogFields = {}): void =>
  process.emitWarning(`${event} ${JSON.stringify(fields)}`, 'HeraldReporter');
/** Without it a server with a wrong port or secret, whose reports nobody takes, would never say so. */
const warningLog: Log = { ...silentLog, warn, error: warn };

/** Starts to report. Throws a TypeError at once when the options could never make a valid report. */
export function startReporter(options: ReporterOptions): Reporter {
  const { gateway, log = warningLog, clock = systemClock, random = Math.random, capacity = 1 } = options;
  const bootId = newBootId(clock.epochMs());
  const list = createHeraldList(options.heralds);
  const measured = createProcessSignals();
  const firstSight = createOrderMemory();
  const pace = createReportPace(options.periodMs ?? DEFAULT_PERIOD_MS, random);
  const links = new Map<string, HeraldLink>();
  const arrivals = createArrivals(options.rampMs);
  const askedPeriods = new Map<string, number>();

  let state: 'up' | 'draining' = 'up';
  let seq = 0;
  let failuresTotal = 0;
  let signals: Signals = {};
  let closing: Promise<void> | undefined;

  const measure = (): void => {
    measured.sample(clock.nowMs());
    signals = merged(measured.signals(), options.signals?.() ?? {});
  };

  const report = (kind: ReportKind): LoadReport => {
    const counters = options.counters();
    const { connections, acceptedTotal } = counters;
    const youngConnections =
      counters.youngConnections ??
      (acceptedTotal === undefined ? undefined : arrivals.youngConnections(connections, clock.nowMs()));
    seq += 1;
    return {
      v: 1,
      kind,
      gateway,
      url: options.url,
      bootId,
      seq,
      periodMs: pace.periodMs(),
      pool: options.pool ?? 'default',
      zone: options.zone ?? '',
      labels: { ...options.labels },
      capacity,
      state,
      connections,
      ...(youngConnections !== undefined && { youngConnections }),
      ...(counters.maxConnections !== undefined && { maxConnections: counters.maxConnections }),
      ...(acceptedTotal !== undefined && { acceptedTotal }),
      ...(counters.compressing !== undefined && { compressing: counters.compressing }),
      tickets: { ...counters.tickets },
      ...(kind === 'full' && signals),
    };
  };

  // One body a tick, shared by all links that are free for it; a busy link writes its own later.
  let shared: { kind: ReportKind; atMs: number; body: string } | undefined;
  const write = (kind: ReportKind): string => {
    const nowMs = clock.nowMs();
    if (shared?.kind !== kind || shared.atMs !== nowMs) {
      shared = { kind, atMs: nowMs, body: JSON.stringify(report(kind)) };
    }
    return shared.body;
  };

  const secrets = [options.secret, options.previousSecret].flatMap((secret) => (secret ? [secret] : []));

  const guarded = (what: string, call: () => void): void => {
    try {
      call();
    } catch (error) {
      log.error('callback-failed', { what, ...errorFields(error) });
    }
  };

  const onReply = (base: string, reply: FeedbackReply): void => {
    if (closing) return;
    if (list.learn(reply.heralds, clock.nowMs())) syncLinks();
    // The shortest period asked for: silence is judged by the Herald that waits least.
    askedPeriods.set(base, reply.periodMs);
    pace.setPeriodMs(Math.min(...askedPeriods.values()));
    const { brokers, directive } = reply;
    if (brokers !== undefined) guarded('onBrokers', () => options.onBrokers?.(brokers));
    if (directive !== undefined && firstSight(directive)) {
      log.info('directive', { herald: reply.heraldId, directive });
      guarded('onDirective', () => options.onDirective?.(directive, reply.heraldId));
    }
  };

  const syncLinks = (): void => {
    const wanted = new Set(list.bases());
    for (const base of wanted) {
      if (links.has(base)) continue;
      const link = openHeraldLink({
        base,
        gateway,
        write,
        secrets,
        onReply: (reply) => onReply(base, reply),
        onFailure: () => (failuresTotal += 1),
        log,
        clock,
        random,
      });
      links.set(base, link);
      link.push('full');
    }
    for (const [base, link] of links) {
      if (wanted.has(base)) continue;
      link.drop();
      links.delete(base);
      askedPeriods.delete(base);
    }
  };

  /** All links, but one Herald known under two addresses only once. */
  const distinct = (): HeraldLink[] => {
    const ids = new Set<string>();
    return [...links.values()].filter((link) => {
      const { state: linkState, heraldId } = link.snapshot();
      if (linkState !== 'up') return true;
      if (ids.has(heraldId)) return false;
      ids.add(heraldId);
      return true;
    });
  };

  const pushAll = (kind: ReportKind, urgent = false): void => {
    for (const link of distinct()) link.push(kind, urgent);
  };

  const due = (): ReportKind | undefined => {
    const { connections, acceptedTotal = 0 } = options.counters();
    const nowMs = clock.nowMs();
    arrivals.observe(acceptedTotal, nowMs);
    return pace.due({ nowMs, load: tightest(signals), accepted: acceptedTotal, connections, capacity });
  };

  const tick = (): void => {
    if (list.forget(clock.nowMs())) syncLinks();
    measure();
    const kind = due();
    if (kind) pushAll(kind);
  };

  const close = async (): Promise<void> => {
    stopTicking();
    state = 'draining';
    measure();
    pushAll('full', true);
    const farewell = async (): Promise<void> => {
      await Promise.all([...links.values()].map((link) => link.idle().then(() => link.goodbye())));
    };
    await atMost(MAX_CLOSE_MS, farewell());
    for (const link of links.values()) link.drop();
    measured.close();
  };

  measure();
  const first = decodeLoadReport(report('full'));
  if (!first.ok) {
    measured.close();
    throw new TypeError(`reporter of gateway ${gateway}: ${refusalText(first.refusal)}`);
  }
  // The first report goes out with the connection, before any tick.
  due();
  syncLinks();
  const stopTicking = every(Math.min(EARLY_REPORT_GAP_MS, pace.periodMs() / 2), tick, 0.1, random);

  return {
    close: () => (closing ??= close()),
    async flush() {
      measure();
      pushAll('full', true);
      await Promise.all([...links.values()].map((link) => link.idle()));
    },
    setState(next) {
      if (next === state) return;
      // A program in JavaScript may pass any word, and Heralds would refuse every report that has it.
      if (!['up', 'draining'].includes(next)) {
        throw new TypeError(`state: received ${shown(next)}, expected up or draining`);
      }
      state = next;
      pushAll('full', true);
    },
    ticketClockOffsetMs(heraldId) {
      for (const link of links.values()) {
        const seen = link.snapshot();
        if (seen.heraldId === heraldId && seen.ticketClockOffsetMs !== undefined) {
          return seen.ticketClockOffsetMs;
        }
      }
      return undefined;
    },
    snapshot: () => ({
      gateway,
      bootId,
      seq,
      periodMs: pace.periodMs(),
      state,
      allowedCores: measured.allowedCores(),
      signals: { ...signals },
      failuresTotal,
      heralds: [...links.values()].map((link) => link.snapshot()),
    }),
  };
}

/** Later boots compare greater, so that of two tables the newer row is known without a shared clock. */
function newBootId(epochMs: number): string {
  return `${Math.trunc(epochMs).toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`;
}

function merged(measured: Signals, own: object): Signals {
  const all: Record<string, number | undefined> = { ...measured, ...own };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function tightest(signals: Signals): number {
  return Math.max(signals.cpu ?? 0, signals.eventLoop ?? 0, signals.memory ?? 0, signals.descriptors ?? 0);
}
