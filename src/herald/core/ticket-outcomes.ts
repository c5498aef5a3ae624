// (5) What became of the tickets: accepted, overdue, run out, or said to have failed. Feeds the share of
// clients that connect at all and each gateway's breaker.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { Ticket } from '../../protocol/ticket.ts';
import {
  BAR_LOAD,
  breakerAccepted,
  breakerAt,
  breakerFailed,
  fadeBreaker,
  isBarred,
  newBreaker,
} from './breaker.ts';
import type { CoreSettings } from './balancer-options.ts';
import type { GatewayRoster } from './gateway-roster.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import { BAR, INVERSE_CAPACITY, OPEN, REPORTED_AT, SHUT, STRIDE } from './gateway-slots.ts';
import type { Pool } from './pool.ts';
import { witnessesOf } from './replica-share.ts';
import { reconcileTickets } from './ticket-counters.ts';
import { reportsInTime, TicketsInFlight } from './tickets.ts';

/** A gateway lets nobody in when it let in none of this many fair shares of its pool's clients, */
const MISSED_SHARES = 12;
/** nor anybody for this long, several times what a client takes from its lookup to a report that counts it. */
const MISSED_MS = 3_000;
/**
 * The same where most of its tickets went to lookups with a key or exclusions. Tickets make a gateway look loaded, so
 * strangers who choose one keep the others' clients away from it, until these have made the rest as loaded.
 */
const MISSED_CHOSEN_MS = 600_000;

export class TicketOutcomes {
  readonly tickets: TicketsInFlight;
  readonly #roster: GatewayRoster;
  readonly #settings: CoreSettings;

  constructor(roster: GatewayRoster, settings: CoreSettings) {
    this.#roster = roster;
    this.#settings = settings;
    this.tickets = new TicketsInFlight(roster.slots, settings.firstTicketSeq);
  }

  /** The gateway's own counters: how many it let in since its last report; it has `grown` by so many connections. */
  reported(record: GatewayRecord, report: LoadReport, grown: number, nowMs: number): void {
    const pool = this.#roster.poolOf(record);
    fadeBreaker(record.breaker);
    const most = this.#mostLetIn(record);
    const { heraldId } = this.#settings;
    const witnesses = witnessesOf(pool.members.size);
    const { accepted, named } = reconcileTickets(record, report, heraldId, (id, more) => {
      const { gateway } = record;
      pool.share.count({ heraldId: id, isOwn: id === heraldId, count: more, gateway, witnesses }, nowMs);
    });
    let letIn = 0;
    if (accepted > 0) {
      const { coming, overdue } = this.tickets.confirm(record.slot, accepted);
      pool.connects.count(coming + overdue, -overdue);
      // Where only accepts are counted, those beyond what was in flight came without a ticket, and while the breaker
      // is open what is in flight are the picks that opened it.
      const answered = record.breaker.state === 'open' ? 0 : coming + overdue;
      letIn = named ? Math.min(accepted, most) : answered;
    } else if (!record.countsTickets && record.breaker.state !== 'open') {
      // Where only connections are counted, more of them than before: at least so many came.
      letIn = Math.min(Math.max(0, grown), this.tickets.count(record.slot));
    }
    if (letIn > 0 && pool.letIn === 0) this.#forgetWords(pool);
    pool.letIn += letIn;
    if (letIn > 0) record.breaker = breakerAccepted(record.breaker);
    // Of a gateway that may not be named nobody is missed.
    const isNamed = this.#roster.slots.hot[record.slot * STRIDE + OPEN] !== SHUT;
    if (letIn > 0 || !isNamed || !record.lastLetIn) {
      const { picks, chosenPicks } = record;
      record.lastLetIn = { atMs: nowMs, ofPool: pool.letIn, picks, chosenPicks };
    }
    this.refreshBar(record);
  }

  /** Of what it claims, as many as were sent there; and one, which may have come with the ticket of an alternate. */
  #mostLetIn({ slot, picks, lastLetIn }: GatewayRecord): number {
    return Math.max(1, this.tickets.count(slot), picks - (lastLetIn?.picks ?? 0));
  }

  /** A client says that the pick of `ticket` failed; each ticket counts once. Numbers alone can be guessed. */
  pickFailed(ticket: Ticket, exclude: readonly string[], nowMs: number): void {
    const slot = this.tickets.slotOf(ticket.seq);
    const record = slot < 0 ? undefined : this.#roster.slots.records[slot];
    if (!record || !exclude.includes(record.gateway)) return;
    if (!this.#settings.isSigned(record.gateway, ticket) || this.tickets.takeFailed(ticket.seq) < 0) return;
    // Before anybody got in anywhere, there is nothing but words to go by.
    const isWordAll = !record.hearsay && this.#roster.poolOf(record).letIn === 0;
    if (isWordAll || this.#letsNobodyIn(record)) this.#failed(record, 1, nowMs);
  }

  /** From now on its gateways' counters speak. */
  #forgetWords(pool: Pool): void {
    for (const slot of pool.members) {
      const record = this.#roster.slots.records[slot];
      if (!record || !speaksForItself(record)) continue;
      record.breaker = newBreaker();
      this.refreshBar(record);
    }
  }

  roll(nowMs: number): void {
    this.tickets.roll(
      nowMs,
      (slot, count) => this.#overdue(slot, count),
      (slot, count) => this.#ranOut(slot, count, nowMs),
    );
  }

  /** An open breaker may have done its time. */
  renewBreaker(record: GatewayRecord, nowMs: number): void {
    if (record.breaker.state === 'closed') return;
    record.breaker = breakerAt(record.breaker, nowMs);
    this.refreshBar(record);
  }

  /** A new boot: what was on its way to the old process is gone, and so is what was held against it. */
  reset(record: GatewayRecord): void {
    this.tickets.drop(record.slot);
    record.breaker = newBreaker();
    this.refreshBar(record);
  }

  refreshBar(record: GatewayRecord): void {
    const { hot } = this.#roster.slots;
    const at = record.slot * STRIDE + BAR;
    const bar = isBarred(record.breaker) ? BAR_LOAD : 0;
    if (hot[at] === bar) return;
    hot[at] = bar;
    // What views remember for a moment, of those that are barred or full, was of another fleet.
    this.#roster.changed(this.#roster.poolOf(record));
  }

  #overdue(slot: number, count: number): void {
    const record = this.#tellsOfTickets(slot);
    if (record) this.#roster.poolOf(record).connects.count(0, count);
  }

  #ranOut(slot: number, count: number, nowMs: number): void {
    const record = this.#tellsOfTickets(slot);
    if (!record) return;
    // Where clients often do not come at all, a ticket that ran out says little about the gateway.
    const { share } = this.#roster.poolOf(record).connects;
    if (this.#letsNobodyIn(record)) this.#failed(record, count * share, nowMs);
  }

  #failed(record: GatewayRecord, count: number, nowMs: number): void {
    record.breaker = breakerFailed(record.breaker, count, nowMs);
    this.refreshBar(record);
  }

  /**
   * By its own counters, beside those of the others in its pool: anybody may ask for tickets, stay away, and say that they
   * failed. One that counts nothing cannot contradict.
   */
  #letsNobodyIn(record: GatewayRecord): boolean {
    const { lastLetIn } = record;
    if (record.hearsay || !lastLetIn) return false;
    if (!speaksForItself(record)) return true;
    const { letIn, openCapacity } = this.#roster.poolOf(record);
    const capacity = 1 / this.#roster.slots.hot[record.slot * STRIDE + INVERSE_CAPACITY]!;
    const share = capacity / Math.max(capacity, openCapacity);
    if ((letIn - lastLetIn.ofPool) * share < MISSED_SHARES) return false;
    const chosen = record.chosenPicks - lastLetIn.chosenPicks;
    const mostlyChosen = 2 * chosen > record.picks - lastLetIn.picks;
    const silentMs = this.#roster.slots.hot[record.slot * STRIDE + REPORTED_AT]! - lastLetIn.atMs;
    return silentMs >= (mostlyChosen ? MISSED_CHOSEN_MS : MISSED_MS);
  }

  /** The gateway of `slot`, if its silence about a ticket says that nobody came with it. */
  #tellsOfTickets(slot: number): GatewayRecord | undefined {
    const record = this.#roster.slots.records[slot];
    return record && !record.hearsay && record.countsTickets && reportsInTime(record.periodMs)
      ? record
      : undefined;
  }
}

/** Whether its reports can show that it lets clients in. */
function speaksForItself(record: GatewayRecord): boolean {
  return record.countsTickets || record.countsConnections;
}
