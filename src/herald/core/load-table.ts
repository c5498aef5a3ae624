// (2) The load table: takes reports, operators' wishes and other Heralds' rows, and keeps every gateway's
// state up to date. Who may be named is decided here; who is named, in lookups.ts.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { CoreSettings, LeftOut } from './balancer-options.ts';
import type { Desired, GatewayState, ReportVerdict } from './balancer-types.ts';
import {
  BAR_LOAD,
  breakerAccepted,
  breakerAt,
  breakerFailed,
  fadeBreaker,
  isBarred,
  newBreaker,
} from './breaker.ts';
import { steeringDirective } from './directives.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import {
  BAR,
  CONNECTIONS,
  FULL_AT,
  GatewaySlots,
  INVERSE_CAPACITY,
  LATE_AFTER,
  OPEN,
  REPORTED,
  REPORTED_AT,
  STALE_AFTER,
  STRIDE,
  WANTED_UP,
} from './gateway-slots.ts';
import { MassLoss } from './mass-loss.ts';
import { observe } from './observer.ts';
import { Pool } from './pool.ts';
import { scoreOf } from './score.ts';
import { SleepGuard } from './sleep-guard.ts';
import { reconcileTickets } from './ticket-counters.ts';
import { reportsInTime, TicketsInFlight } from './tickets.ts';

/** A gateway with a long period is stale after this many of them, and forgotten after five times as long. */
const STALE_PERIODS = 4;
const LONGEST_STALE_MS = 60_000;
const LATE_PERIODS = 3;
/** How much later than the loss of our connection another Herald must have heard a gateway to clear it: ages
 * of what others wrote are known to within a write's round trip. */
const CLEARED_AFTER_MS = 250;
/** A lookup that finds nobody has the mass loss judged at once, at most this often. */
const JUDGE_EVERY_MS = 10;

export class LoadTable {
  readonly settings: CoreSettings;
  readonly slots = new GatewaySlots();
  readonly pools = new Map<string, Pool>();
  readonly tickets: TicketsInFlight;
  readonly massLoss: MassLoss;
  readonly sleep = new SleepGuard();
  /** Grows with every change of who may be named. */
  version = 0;
  /** Lookups answered so far; slots remember at which one they were given away. */
  lookups = 0;
  readonly #desired = new Map<string, Desired>();
  readonly #withoutFloor: LeftOut;

  constructor(settings: CoreSettings) {
    this.settings = settings;
    this.#withoutFloor = { ...settings.leftOut, floor: true };
    this.tickets = new TicketsInFlight(this.slots, settings.firstTicketSeq);
    this.massLoss = new MassLoss(this.slots);
  }

  report(report: LoadReport, nowMs: number): ReportVerdict {
    const { settings, slots } = this;
    const refused = (why: 'old-seq' | 'old-boot' | 'table-full' | 'url-refused'): ReportVerdict => ({
      taken: false,
      why,
      periodMs: settings.periodMs,
    });
    let record = slots.get(report.gateway);
    if (!settings.allowUrl(report.url)) return refused('url-refused');
    if (!record && slots.size >= settings.maxGateways) return refused('table-full');
    let first = record === undefined || record.admitted === undefined;
    if (record && record.seq >= 0) {
      if (report.bootId === record.previousBootId) return refused('old-boot');
      const sameBoot = report.bootId === record.bootId;
      if (sameBoot && report.seq <= record.seq && !this.#restartedUnnamed(record, nowMs))
        return refused('old-seq');
      if (!sameBoot || report.seq <= record.seq) {
        this.#reset(record);
        record.previousBootId = sameBoot ? undefined : record.bootId;
        first = true;
      }
    }
    record ??= this.#add(report.gateway);
    this.#place(record, report);
    record.bootId = report.bootId;
    record.seq = report.seq;
    this.#take(record, report, first, nowMs);
    const directive = steeringDirective(record, nowMs);
    return { taken: true, periodMs: settings.periodMs, ...(directive && { directive }) };
  }

  /** A shell script has no boot id: when its numbers start anew after a silence, it was restarted. */
  #restartedUnnamed(record: GatewayRecord, nowMs: number): boolean {
    const at = record.slot * STRIDE;
    return (
      record.bootId === '' && nowMs - this.slots.hot[at + REPORTED_AT]! > this.slots.hot[at + STALE_AFTER]!
    );
  }

  #take(record: GatewayRecord, report: LoadReport, first: boolean, nowMs: number): void {
    const { hot } = this.slots;
    const at = record.slot * STRIDE;
    const pool = this.poolOf(record);
    pool.renew(nowMs, this.settings.leftOut);
    const score = report.kind === 'full' ? scoreOf(report, record.capacity, this.settings.limits) : undefined;
    observe(
      this.slots,
      record,
      { score, connections: report.connections, youngConnections: report.youngConnections ?? 0 },
      pool.cost.cost,
      first,
      this.#leftOut(pool),
    );
    if (score !== undefined) hot[at + REPORTED] = score;
    hot[at + REPORTED_AT] = nowMs;
    hot[at + FULL_AT] = report.maxConnections !== undefined ? report.maxConnections : Infinity;
    record.maxConnections = report.maxConnections ?? 0;
    record.hearsay = false;
    record.suspect = false;
    fadeBreaker(record.breaker);
    const accepted = reconcileTickets(record, report, this.settings.heraldId, pool.share, nowMs);
    if (accepted > 0) {
      const { coming, overdue } = this.tickets.confirm(record.slot, accepted);
      pool.connects.count(coming + overdue, -overdue);
      record.breaker = breakerAccepted(record.breaker, accepted);
    }
    this.refreshBar(record);
    this.refreshOpen(record, nowMs);
  }

  suspect(gateway: string, nowMs: number): void {
    const record = this.slots.get(gateway);
    if (!record || record.suspect) return;
    record.suspect = true;
    record.suspectAtMs = nowMs;
    this.refreshOpen(record, nowMs);
  }

  setDesired(gateway: string, desired: Desired, nowMs: number): void {
    const before = this.#desired.get(gateway)?.state ?? 'up';
    // An `up` without a gateway to tell needs no place in memory.
    if (desired.state === 'up' && !this.slots.get(gateway)) this.#desired.delete(gateway);
    else if (this.#desired.has(gateway) || this.#desired.size < this.settings.maxGateways) {
      this.#desired.set(gateway, desired);
    }
    const record = this.slots.get(gateway);
    if (!record) return;
    record.desired = desired;
    record.readyOrderedAtMs = desired.state === 'up' && before !== 'up' ? nowMs : -Infinity;
    this.refreshOpen(record, nowMs);
  }

  /** Newest (bootId, seq) wins; of two boots, the row that is younger than our own last report. */
  mergeRows(rows: readonly TableRow[], nowMs: number): void {
    for (const row of rows) this.#mergeRow(row, nowMs);
  }

  #mergeRow(row: TableRow, nowMs: number): void {
    let record = this.slots.get(row.gateway);
    if (row.ageMs > this.settings.forgetAfterMs * 10 || !this.settings.allowUrl(row.url)) return;
    if (!record && this.slots.size >= this.settings.maxGateways) return;
    const saidAtMs = nowMs - row.ageMs;
    if (record && record.seq >= 0) {
      const ownAtMs = this.slots.hot[record.slot * STRIDE + REPORTED_AT]!;
      if (row.bootId === record.bootId ? row.seq <= record.seq : saidAtMs <= ownAtMs) return;
      if (row.bootId === record.previousBootId && row.bootId !== '') return;
      if (row.bootId !== record.bootId) {
        this.#reset(record);
        record.previousBootId = record.bootId;
      }
    }
    record ??= this.#add(row.gateway);
    const hearsayAtMs = Math.max(
      saidAtMs,
      record.seq >= 0 ? this.slots.hot[record.slot * STRIDE + REPORTED_AT]! : -Infinity,
    );
    this.#place(record, row);
    const hot = this.slots.hot;
    const at = record.slot * STRIDE;
    const seen = {
      score: row.correctedScore,
      connections: row.connections,
      youngConnections: row.youngConnections,
    };
    const pool = this.poolOf(record);
    observe(this.slots, record, seen, pool.cost.cost, true, this.#leftOut(pool));
    record.bootId = row.bootId;
    record.seq = row.seq;
    record.hearsay = true;
    // Heard elsewhere after our connection to it broke: it was the connection, not the gateway.
    if (saidAtMs > record.suspectAtMs + CLEARED_AFTER_MS) record.suspect = false;
    record.maxConnections = row.maxConnections;
    hot[at + CONNECTIONS] = row.connections;
    hot[at + FULL_AT] = row.maxConnections > 0 ? row.maxConnections : Infinity;
    hot[at + REPORTED] = row.reportedScore;
    hot[at + REPORTED_AT] = hearsayAtMs;
    this.refreshOpen(record, nowMs);
  }

  tick(nowMs: number): void {
    this.sleep.tick(nowMs);
    this.tickets.roll(
      nowMs,
      (slot, count) => this.#ticketsOverdue(slot, count),
      (slot, count) => this.#ticketsLost(slot, count, nowMs),
    );
    for (const pool of this.pools.values()) pool.renew(nowMs, this.settings.leftOut);
    for (const record of this.slots.all()) {
      if (record.breaker.state !== 'closed') {
        record.breaker = breakerAt(record.breaker, nowMs);
        this.refreshBar(record);
      }
      this.refreshOpen(record, nowMs);
    }
    for (const pool of this.pools.values()) this.#judge(pool, nowMs);
    this.#forgetSilent(nowMs);
  }

  /** For a lookup that finds nobody and cannot wait for the tick; true when somebody may be named now. */
  judgeNow(pool: Pool, nowMs: number): boolean {
    if (nowMs - pool.judgedAtMs < JUDGE_EVERY_MS) return false;
    for (const slot of pool.members) this.refreshOpen(this.slots.records[slot]!, nowMs);
    return this.#judge(pool, nowMs);
  }

  #judge(pool: Pool, nowMs: number): boolean {
    pool.judgedAtMs = nowMs;
    if (!this.massLoss.judge(pool, this.sleep.holds(nowMs), nowMs)) return false;
    for (const slot of pool.members) this.refreshOpen(this.slots.records[slot]!, nowMs);
    return true;
  }

  /** A client says that the pick of ticket `seq` failed; each ticket counts once. */
  pickFailed(seq: number, exclude: readonly string[], nowMs: number): void {
    const slot = this.tickets.takeFailed(seq);
    const record = slot < 0 ? undefined : this.slots.records[slot];
    if (!record || !exclude.includes(record.gateway)) return;
    record.breaker = breakerFailed(record.breaker, 1, nowMs);
    this.refreshBar(record);
  }

  #ticketsOverdue(slot: number, count: number): void {
    const record = this.#tellsOfTickets(slot);
    if (record) this.poolOf(record).connects.count(0, count);
  }

  #ticketsLost(slot: number, count: number, nowMs: number): void {
    const record = this.#tellsOfTickets(slot);
    if (!record) return;
    // Where clients often do not come at all, a ticket that ran out says little about the gateway.
    record.breaker = breakerFailed(record.breaker, count * this.poolOf(record).connects.share, nowMs);
    this.refreshBar(record);
  }

  /** The gateway of `slot`, if its silence about a ticket says that nobody came with it. */
  #tellsOfTickets(slot: number): GatewayRecord | undefined {
    const record = this.slots.records[slot];
    return record && !record.hearsay && record.countsTickets && reportsInTime(record.periodMs)
      ? record
      : undefined;
  }

  refreshBar(record: GatewayRecord): void {
    this.slots.hot[record.slot * STRIDE + BAR] = isBarred(record.breaker) ? BAR_LOAD : 0;
  }

  /** Renews OPEN and, when it changed, everything built on it. */
  refreshOpen(record: GatewayRecord, nowMs: number): void {
    const at = record.slot * STRIDE;
    const hot = this.slots.hot;
    const silent = this.isSilent(record, nowMs);
    if (!silent && !record.suspect) record.lostAtMs = Infinity;
    else if (record.lostAtMs === Infinity) record.lostAtMs = nowMs;
    const wanted = record.desired.state === 'up' && record.announced === 'up';
    const here = record.lostAtMs === Infinity || this.massLoss.forgives(record);
    const open = wanted && here ? 1 : 0;
    if (hot[at + OPEN] === open) return;
    hot[at + OPEN] = open;
    this.#changed(this.poolOf(record));
  }

  isSilent(record: GatewayRecord, nowMs: number): boolean {
    const at = record.slot * STRIDE;
    const ageMs = nowMs - this.slots.hot[at + REPORTED_AT]!;
    return ageMs > this.slots.hot[at + STALE_AFTER]! + this.sleep.graceMs(nowMs);
  }

  state(record: GatewayRecord, nowMs: number): GatewayState {
    if (record.desired.state === 'maint') return 'maint';
    if (record.desired.state === 'drain') return 'drain';
    if (record.announced === 'draining') return 'draining';
    if (record.suspect) return 'suspect';
    return this.isSilent(record, nowMs) ? 'stale' : 'up';
  }

  /** The floor against liars stands on what the fleet's connections cost; before that is known, it waits. */
  #leftOut(pool: Pool): LeftOut {
    return pool.cost.known ? this.settings.leftOut : this.#withoutFloor;
  }

  poolOf(record: GatewayRecord): Pool {
    return this.pool(record.pool);
  }

  pool(name: string): Pool {
    let pool = this.pools.get(name);
    if (!pool) {
      pool = new Pool(name, this.settings.poolPolicy(name), this.slots);
      this.pools.set(name, pool);
    }
    return pool;
  }

  #add(gateway: string): GatewayRecord {
    const record = this.slots.add(gateway, this.lookups);
    record.desired = this.#desired.get(gateway) ?? WANTED_UP;
    return record;
  }

  /** Takes over what a report or row says of the gateway itself; a change moves it between pools and views. */
  #place(record: GatewayRecord, said: LoadReport | TableRow): void {
    const hot = this.slots.hot;
    const at = record.slot * STRIDE;
    const isNew = !this.pools.get(record.pool)?.members.has(record.slot);
    if (isNew || record.pool !== said.pool) {
      const left = this.pools.get(record.pool);
      if (left?.members.delete(record.slot)) this.#changed(left);
      record.pool = said.pool;
      this.pool(said.pool).members.add(record.slot);
      this.#changed(this.pool(said.pool));
    }
    if (
      record.zone !== said.zone ||
      Math.abs(record.capacity - said.capacity) > 0.01 * record.capacity ||
      !sameLabels(record.labels, said.labels)
    ) {
      record.zone = said.zone;
      record.labels = said.labels;
      record.capacity = said.capacity;
      this.#changed(this.poolOf(record));
    }
    record.url = said.url;
    record.announced = said.state;
    record.periodMs = said.periodMs;
    this.tickets.expectReports(record.slot, said.periodMs);
    hot[at + INVERSE_CAPACITY] = 1 / record.capacity;
    hot[at + LATE_AFTER] = LATE_PERIODS * said.periodMs;
    hot[at + STALE_AFTER] = Math.max(
      this.settings.staleAfterMs,
      Math.min(LONGEST_STALE_MS, STALE_PERIODS * said.periodMs),
    );
  }

  #changed(pool: Pool): void {
    pool.version++;
    this.version++;
  }

  /** A new boot: nothing learnt of the old process holds, and what was on its way to it is gone. */
  #reset(record: GatewayRecord): void {
    this.tickets.drop(record.slot);
    record.correctedScore = 0;
    record.visibleConnections = 0;
    record.errorMean = 0;
    record.errorSize = 0;
    record.admitted = undefined;
    record.acceptedTotal = undefined;
    record.breaker = newBreaker();
    this.refreshBar(record);
  }

  #forgetSilent(nowMs: number): void {
    if (this.sleep.holds(nowMs)) return;
    for (const record of this.slots.all()) {
      const at = record.slot * STRIDE;
      const forgetAfterMs = Math.max(this.settings.forgetAfterMs, 5 * this.slots.hot[at + STALE_AFTER]!);
      if (nowMs - this.slots.hot[at + REPORTED_AT]! <= forgetAfterMs || this.massLoss.forgives(record))
        continue;
      const pool = this.poolOf(record);
      this.tickets.drop(record.slot);
      pool.members.delete(record.slot);
      this.slots.remove(record);
      this.#changed(pool);
    }
  }
}

function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
