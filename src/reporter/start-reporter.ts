// (1) Wires sampler, pace and links: a report a period to every Herald known, sooner when something happens.

import { atMost, every, systemClock } from '../daemon/clock.ts';
import type { Log, LogFields } from '../daemon/log.ts';
import { errorFields, silentLog } from '../daemon/log.ts';
import { MIN_SECRET_CHARS } from '../daemon/secrets.ts';
import { refusalText, shown } from '../protocol/decode.ts';
import type { FeedbackReply, Signals } from '../protocol/load-report.ts';
import { decodeLoadReport } from '../protocol/load-report.ts';
import { unknownOption } from '../protocol/nearest.ts';
import { createArrivals } from './core/arrivals.ts';
import { CountedTickets } from './counted-tickets.ts';
import { createHeraldLinks } from './herald-links.ts';
import { createOrderMemory } from './core/order-memory.ts';
import { createProcessSignals } from './process-signals.ts';
import type { ReportKind } from './core/report-pace.ts';
import { createReportPace, EARLY_REPORT_GAP_MS } from './core/report-pace.ts';
import { createReportWriter } from './report-writer.ts';
import type { Reporter, ReporterCounters, ReporterOptions } from './reporter-options.ts';
import { OPTION_NAMES } from './reporter-options.ts';

const DEFAULT_PERIOD_MS = 500;
/** A goodbye that nobody hears must not hold up a shutdown; age will tell Herald anyway. */
const MAX_CLOSE_MS = 1_500;

const warn = (event: string, fields: LogFields = {}): void =>
  process.emitWarning(`${event} ${JSON.stringify(fields)}`, 'HeraldReporter');
/** Without it a server with a wrong port or secret, whose reports nobody takes, would never say so. */
const warningLog: Log = { ...silentLog, warn, error: warn };

/** Starts to report. Throws a TypeError at once when the options could never make a valid report. */
export function startReporter(options: ReporterOptions): Reporter {
  checkOptions(options);
  const { gateway, log = warningLog, clock = systemClock, random = Math.random, capacity = 1 } = options;
  const links = createHeraldLinks({
    heralds: options.heralds,
    gateway,
    write: (kind) => writer.text(kind),
    secrets: readSecrets(options),
    onReply: (reply, periodMs) => {
      pace.setPeriodMs(periodMs);
      obey(reply);
    },
    log,
    clock,
    random,
  });
  let said = readCounters(options.counters());
  const arrivals = createArrivals(options.rampMs);
  const counted = new CountedTickets();
  const measured = createProcessSignals();
  const firstSight = createOrderMemory();
  const pace = createReportPace(options.periodMs ?? DEFAULT_PERIOD_MS, random);
  let state: 'up' | 'draining' = 'up';
  let signals: Signals = {};
  let closing: Promise<void> | undefined;
  let leaving = false;
  /** The server may end before its reporter does: the last report then says what the one before said. */
  const counters = (): ReporterCounters => {
    try {
      said = readCounters(options.counters());
    } catch (error) {
      if (!leaving) throw error;
    }
    return said;
  };
  const writer = createReportWriter({
    options,
    counters,
    arrivals,
    counted,
    clock,
    state: () => state,
    signals: () => signals,
    periodMs: () => pace.periodMs(),
  });

  const measure = (): void => {
    measured.sample(clock.nowMs());
    signals = merged(measured.signals(), options.signals?.() ?? {});
  };

  /** What a callback throws, or a promise of it brings, harms neither the reports nor the program. */
  const guarded = (what: string, call: () => unknown): void => {
    const called = new Promise((resolve) => resolve(call()));
    called.catch((error: unknown) => log.error('callback-failed', { what, ...errorFields(error) }));
  };

  const obey = ({ heraldId, brokers, directive }: FeedbackReply): void => {
    counted.answered(heraldId);
    if (brokers !== undefined) guarded('onBrokers', () => options.onBrokers?.(brokers));
    if (directive !== undefined && firstSight(directive)) {
      log.info('directive', { herald: heraldId, directive });
      guarded('onDirective', () => options.onDirective?.(directive, heraldId));
    }
  };

  const due = (): ReportKind | undefined => {
    const { connections, acceptedTotal = 0 } = counters();
    const nowMs = clock.nowMs();
    arrivals.observe(acceptedTotal, nowMs);
    return pace.due({ nowMs, load: tightest(signals), accepted: acceptedTotal, connections, capacity });
  };

  const tick = (): void => {
    links.forget();
    measure();
    const kind = due();
    if (kind) links.push(kind);
  };

  const close = async (): Promise<void> => {
    leaving = true;
    stopTicking();
    state = 'draining';
    guarded('signals', measure);
    links.push('full', true);
    await atMost(MAX_CLOSE_MS, links.goodbye());
    links.drop();
    measured.close();
  };

  measure();
  const first = decodeLoadReport(writer.report('full'));
  if (!first.ok) {
    measured.close();
    throw new TypeError(`reporter of gateway ${gateway}: ${refusalText(first.refusal)}`);
  }
  // The first report goes out with the connection, before any tick.
  due();
  links.open();
  const stopTicking = every(Math.min(EARLY_REPORT_GAP_MS, pace.periodMs() / 2), tick, 0.1, random);

  return {
    close: () => (closing ??= close()),
    async flush() {
      measure();
      links.push('full', true);
      await links.idle();
    },
    setState(next) {
      if (next === state) return;
      // A program in JavaScript may pass any word, and Heralds would refuse every report that has it.
      if (!['up', 'draining'].includes(next)) {
        throw new TypeError(`state: received ${shown(next)}, expected up or draining`);
      }
      state = next;
      links.push('full', true);
    },
    ticketClockOffsetMs: (heraldId) =>
      links.snapshot().find((link) => link.heraldId === heraldId && link.ticketClockOffsetMs !== undefined)
        ?.ticketClockOffsetMs,
    snapshot: () => ({
      gateway,
      bootId: writer.bootId,
      seq: writer.seq(),
      periodMs: pace.periodMs(),
      state,
      allowedCores: measured.allowedCores(),
      signals: { ...signals },
      failuresTotal: links.failuresTotal(),
      heralds: links.snapshot(),
    }),
  };
}

/** A program in JavaScript may pass anything; what goes into a report is checked with the first one. */
function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `startReporter: received ${shown(options)}, expected { heralds, gateway, url, counters }`,
    );
  }
  const unknown = unknownOption('startReporter', options, OPTION_NAMES);
  if (unknown !== undefined) throw new TypeError(unknown);
  const given = options as Record<string, unknown>;
  for (const name of ['counters', 'signals', 'onDirective', 'onBrokers', 'random']) {
    const value = given[name];
    if (typeof value === 'function' || (value === undefined && name !== 'counters')) continue;
    throw new TypeError(`${name}: received ${shown(value)}, expected a function`);
  }
  const { labels = {} } = given;
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw new TypeError(`labels: received ${shown(labels)}, expected { key: value }`);
  }
  for (const [name, method] of [
    ['log', 'warn'],
    ['clock', 'epochMs'],
  ] as const) {
    const value = given[name];
    const has = (value as Record<string, unknown> | null | undefined)?.[method];
    if (value === undefined || typeof has === 'function') continue;
    throw new TypeError(`${name}: received ${shown(value)}, expected an object with ${method} and the like`);
  }
}

/** A promise of counts, for one, would pass for a server that cannot count. */
function readCounters(counters: unknown): ReporterCounters {
  if (typeof (counters as ReporterCounters | undefined)?.connections === 'number') {
    return counters as ReporterCounters;
  }
  throw new TypeError(`counters: received ${shown(counters)}, expected { connections: a number, ... }`);
}

/** Heralds have no shorter ones: every report signed with one would be refused. */
function readSecrets(options: ReporterOptions): string[] {
  const { secret, previousSecret } = options;
  const given = Object.entries({ secret, previousSecret }).filter(
    ([, text]) => text !== undefined && text !== '',
  );
  return given.map(([name, text]) => {
    if (typeof text === 'string' && text.length >= MIN_SECRET_CHARS) return text;
    const received = typeof text === 'string' ? `one of ${text.length}` : typeof text;
    throw new TypeError(
      `${name}: received ${received}, expected a text of at least ${MIN_SECRET_CHARS} characters`,
    );
  });
}

function merged(measured: Signals, own: object): Signals {
  const all: Record<string, number | undefined> = { ...measured, ...own };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function tightest(signals: Signals): number {
  return Math.max(signals.cpu ?? 0, signals.eventLoop ?? 0, signals.memory ?? 0, signals.descriptors ?? 0);
}
