// (2) The load table: takes reports, operators' wishes and other Heralds' rows, and keeps every gateway's
// state up to date. Who may be named is decided in standings.ts; who is named, in lookups.ts.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { Ticket } from '../../protocol/ticket.ts';
import type { CoreSettings, LeftOut } from './balancer-options.ts';
import type { Desired, GatewayState, ReportVerdict } from './balancer-types.ts';
import { steeringDirective } from './directives.ts';
import { GatewayRoster } from './gateway-roster.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import { CONNECTIONS, FULL_AT, REPORTED, REPORTED_AT, STALE_AFTER, STRIDE } from './gateway-slots.ts';
import type { MassLoss } from './mass-loss.ts';
import type { Observation } from './observer.ts';
import { observe } from './observer.ts';
import type { Pool } from './pool.ts';
import { scoreOf } from './score.ts';
import type { SleepGuard } from './sleep-guard.ts';
import { Standings } from './standings.ts';
import { TicketOutcomes } from './ticket-outcomes.ts';
import type { TicketsInFlight } from './tickets.ts';
import { countTurnover, noTurnover } from './turnover.ts';

/** How much later than the loss of our connection another Herald must have heard a gateway to clear it: ages
 * of what others wrote are known to within a write's round trip. */
const CLEARED_AFTER_MS = 250;

export class LoadTable {
  readonly settings: CoreSettings;
  readonly slots: GatewaySlots;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly tickets: TicketsInFlight;
  readonly massLoss: MassLoss;
  readonly sleep: SleepGuard;
  /** Lookups answered so far; slots remember at which one they were given away. */
  lookups = 0;
  readonly #roster: GatewayRoster;
  readonly #standings: Standings;
  readonly #outcomes: TicketOutcomes;
  readonly #withoutFloor: LeftOut;

  constructor(settings: CoreSettings) {
    this.settings = settings;
    this.#withoutFloor = { ...settings.leftOut, floor: true };
    this.#roster = new GatewayRoster(settings);
    this.#standings = new Standings(this.#roster);
    this.#outcomes = new TicketOutcomes(this.#roster, settings);
    this.slots = this.#roster.slots;
    this.pools = this.#roster.pools;
    this.tickets = this.#outcomes.tickets;
    this.massLoss = this.#standings.massLoss;
    this.sleep = this.#standings.sleep;
  }

  /** Grows with every change of who may be named. */
  get version(): number {
    return this.#roster.version;
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
    if (!record && this.#roster.isFull) return refused('table-full');
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
    record ??= this.#roster.add(report.gateway, this.lookups);
    this.#place(record, report);
    record.bootId = report.bootId;
    record.seq = report.seq;
    this.#take(record, report, first, nowMs);
    const directive = steeringDirective(record, report.connections, nowMs);
    return { taken: true, periodMs: settings.periodMs, ...(directive && { directive }) };
  }

  /** A shell script has no boot id: when its numbers start anew after a silence, it was restarted. */
  #restartedUnnamed(record: GatewayRecord, saidAtMs: number): boolean {
    const at = record.slot * STRIDE;
    return (
      record.bootId === '' && saidAtMs - this.slots.hot[at + REPORTED_AT]! > this.slots.hot[at + STALE_AFTER]!
    );
  }

  /** Of the same boot; without a name it may be the one before or after, which only its age tells. */
  #isNews(row: TableRow, record: GatewayRecord, saidAtMs: number): boolean {
    if (row.seq <= record.seq) return row.seq < record.seq && this.#restartedUnnamed(record, saidAtMs);
    return row.bootId !== '' || saidAtMs > this.slots.hot[record.slot * STRIDE + REPORTED_AT]!;
  }

  #take(record: GatewayRecord, report: LoadReport, first: boolean, nowMs: number): void {
    const { hot } = this.slots;
    const at = record.slot * STRIDE;
    this.poolOf(record).renew(nowMs, this.settings.leftOut);
    const score = report.kind === 'full' ? scoreOf(report, record.capacity, this.settings.limits) : undefined;
    const { connections, youngConnections = 0 } = report;
    const before = hot[at + CONNECTIONS]!;
    if (!first) countTurnover(record, report, before, nowMs - hot[at + REPORTED_AT]!);
    const grown = first || !record.countsConnections ? 0 : (connections ?? 0) - before;
    this.#observe(record, { score, connections, youngConnections, first });
    if (score !== undefined) hot[at + REPORTED] = score;
    hot[at + REPORTED_AT] = nowMs;
    hot[at + FULL_AT] = report.maxConnections !== undefined ? report.maxConnections : Infinity;
    record.maxConnections = report.maxConnections ?? 0;
    record.hearsay = false;
    record.suspect = false;
    this.#outcomes.reported(record, report, grown, nowMs);
    this.#standings.renew(record, nowMs);
  }

  suspect(gateway: string, nowMs: number): void {
    const record = this.slots.get(gateway);
    if (!record || record.suspect) return;
    record.suspect = true;
    record.suspectAtMs = nowMs;
    this.#standings.renew(record, nowMs);
  }

  /** It said goodbye: not even a frozen pool names it. */
  leave(gateway: string, nowMs: number): void {
    const record = this.slots.get(gateway);
    if (!record) return;
    record.announced = 'draining';
    this.suspect(gateway, nowMs);
    this.#standings.renew(record, nowMs);
  }

  setDesired(gateway: string, desired: Desired, nowMs: number): void {
    const before = this.#roster.want(gateway, desired);
    const record = this.slots.get(gateway);
    if (!record) return;
    record.desired = desired;
    record.readyOrderedAtMs = desired.state === 'up' && before !== 'up' ? nowMs : -Infinity;
    this.#standings.wanted(record, nowMs);
  }

  /** Newest (bootId, seq) wins; of two boots, the row that is younger than our own last report. */
  mergeRows(rows: readonly TableRow[], nowMs: number): void {
    for (const row of rows) this.#mergeRow(row, nowMs);
  }

  #mergeRow(row: TableRow, nowMs: number): void {
    let record = this.slots.get(row.gateway);
    if (row.ageMs > this.settings.forgetAfterMs * 10 || !this.settings.allowUrl(row.url)) return;
    if (!record && this.#roster.isFull) return;
    const saidAtMs = nowMs - row.ageMs;
    if (record && record.seq >= 0) {
      const ownAtMs = this.slots.hot[record.slot * STRIDE + REPORTED_AT]!;
      const sameBoot = row.bootId === record.bootId;
      if (sameBoot ? !this.#isNews(row, record, saidAtMs) : saidAtMs <= ownAtMs) return;
      if (row.bootId === record.previousBootId) return;
      if (!sameBoot || row.seq < record.seq) {
        this.#reset(record);
        record.previousBootId = sameBoot ? undefined : record.bootId;
      }
    }
    record ??= this.#roster.add(row.gateway, this.lookups);
    const hearsayAtMs = Math.max(
      saidAtMs,
      record.seq >= 0 ? this.slots.hot[record.slot * STRIDE + REPORTED_AT]! : -Infinity,
    );
    this.#place(record, row);
    const hot = this.slots.hot;
    const at = record.slot * STRIDE;
    const { correctedScore: score, connections, youngConnections } = row;
    this.#observe(record, { score, connections, youngConnections, first: true });
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
    this.#standings.renew(record, nowMs);
  }

  tick(nowMs: number): void {
    this.sleep.tick(nowMs);
    this.#outcomes.roll(nowMs);
    for (const pool of this.pools.values()) pool.renew(nowMs, this.settings.leftOut);
    for (const record of this.slots.all()) {
      this.#outcomes.renewBreaker(record, nowMs);
      this.#standings.renew(record, nowMs);
    }
    for (const pool of this.pools.values()) this.#standings.judge(pool, nowMs);
    this.#forgetSilent(nowMs);
    for (const name of this.#roster.forgetEmpty()) this.massLoss.forget(name);
  }

  /** Before each answer: what happened since the last tick may have been a mass loss, or the end of a sleep. */
  catchUp(pool: Pool, nowMs: number): void {
    this.#standings.catchUp(pool, nowMs);
  }

  /** For an answer about silent gateways that cannot wait for the tick; true when somebody may be named now. */
  judgeSilent(pool: Pool, nowMs: number): boolean {
    return this.#standings.judgeSilent(pool, nowMs);
  }

  /** A client says that the pick of `ticket` failed; each ticket counts once. */
  pickFailed(ticket: Ticket, exclude: readonly string[], nowMs: number): void {
    this.#outcomes.pickFailed(ticket, exclude, nowMs);
  }

  refreshBar(record: GatewayRecord): void {
    this.#outcomes.refreshBar(record);
  }

  state(record: GatewayRecord, nowMs: number): GatewayState {
    return this.#standings.state(record, nowMs);
  }

  poolOf(record: GatewayRecord): Pool {
    return this.#roster.poolOf(record);
  }

  #place(record: GatewayRecord, said: LoadReport | TableRow): void {
    this.#roster.place(record, said);
    this.tickets.expectReports(record.slot, said.periodMs);
  }

  #observe(record: GatewayRecord, seen: Observation): void {
    const { cost } = this.poolOf(record);
    // The floor against liars stands on what the fleet's connections cost; before that is known, it waits.
    const leftOut = cost.known ? this.settings.leftOut : this.#withoutFloor;
    observe(this.slots, record, seen, { cost: cost.cost, leftOut });
  }

  /** A new boot: nothing learnt of the old process holds, and what was on its way to it is gone. */
  #reset(record: GatewayRecord): void {
    record.admitted = undefined;
    record.acceptedTotal = undefined;
    record.lastLetIn = undefined;
    record.turnover = noTurnover();
    this.#outcomes.reset(record);
  }

  #forgetSilent(nowMs: number): void {
    if (this.sleep.holds(nowMs)) return;
    for (const record of this.slots.all()) {
      if (!this.#standings.isForgotten(record, this.settings.forgetAfterMs, nowMs)) continue;
      this.tickets.drop(record.slot);
      this.#roster.remove(record);
    }
  }
}
