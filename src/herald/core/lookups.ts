// (5) The lookup: from a client's question to a named gateway and a ticket, in O(draws). choice.ts finds the gateway;
// this file says who gets no answer, or has to wait for one, and keeps the books.

import type { LookupRequest } from '../../protocol/lookup.ts';
import { decodeTicket } from '../../protocol/ticket.ts';
import { ownTimeMs, retryAfterMs } from './admission.ts';
import type { AskedLookup } from './asked-lookup.ts';
import { evenly } from './evenly.ts';
import type { LookupVerdict, Pick } from './balancer-types.ts';
import { breakerTried } from './breaker.ts';
import type { CandidateView } from './candidate-view.ts';
import { Choice } from './choice.ts';
import { countAssignment } from './expected-load.ts';
import type { ExplainRing } from './explain-ring.ts';
import { BAR, REPORTED_AT, STRIDE } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import { countRequired } from './most-require.ts';
import { refusalOf } from './refusal.ts';

/** When to ask again, on average: a pool is new or its Herald is, or this Herald was stopped. */
const NO_GATEWAYS_MS = 2_000;
const WOKE_UP_MS = 1_000;

export class Lookups {
  readonly #table: LoadTable;
  readonly #ring: ExplainRing;
  readonly #idPrefix: string;
  readonly #choice: Choice;

  constructor(table: LoadTable, ring: ExplainRing, idPrefix: string) {
    this.#table = table;
    this.#ring = ring;
    this.#idPrefix = idPrefix;
    this.#choice = new Choice(table);
  }

  lookup(request: LookupRequest, nowMs: number): LookupVerdict {
    const table = this.#table;
    const number = table.lookups++;
    const pool = table.pools.get(request.pool);
    if (request.failedTicket !== '') this.#noteFailure(request, nowMs);
    if (!pool || pool.members.size === 0) {
      this.#ring.keepRefusal(number, 'no-gateways', nowMs);
      const afterMs = ownTimeMs(NO_GATEWAYS_MS, evenly(number));
      return refusalOf(table, { lookupId: this.#id(number), request, code: 'no-gateways', afterMs }, nowMs);
    }
    table.catchUp(pool, nowMs);
    pool.renew(nowMs, table.settings.leftOut);
    pool.rates.countLookup();
    const asked = { number, request, pool, nowMs };
    const waitMs = pool.bucket.take(nowMs);
    if (waitMs > 0) return this.#refuse(asked, 'rate-limited', waitMs);
    if (table.sleep.wokeUp()) {
      return this.#refuse(asked, 'starting', ownTimeMs(WOKE_UP_MS, evenly(number)));
    }
    const hotKey = pool.hotKeys.count(request.key, nowMs);
    let named = this.#name(asked, hotKey);
    // Silent since the last tick: perhaps the fault is ours, and then they are still to be named.
    if (typeof named === 'string' && this.#choice.filter.metSilent && table.judgeSilent(pool, nowMs)) {
      named = this.#name(asked, hotKey);
    }
    return typeof named === 'string' ? this.#refuse(asked, named) : named;
  }

  /** Or why nobody may be named. */
  #name(asked: AskedLookup, hotKey: boolean): LookupVerdict | 'none-eligible' | 'overloaded' {
    const choice = this.#choice;
    const view = asked.pool.views.of(asked.request.labels, asked.nowMs);
    const way = choice.make(asked, view, hotKey);
    const winner = choice.offers.least();
    if (winner < 0) return 'none-eligible';
    if (way === 'refused') {
      this.#ring.keep(asked, way, choice.offers, -1);
      // What is compared holds the bar where breakers are obeyed.
      const bar = this.#table.slots.hot[choice.offers.slots[winner]! * STRIDE + BAR]!;
      const isBarred = bar > 0 && choice.offers.loads[winner]! >= bar;
      return isBarred ? 'none-eligible' : 'overloaded';
    }
    this.#ring.keep(asked, way, choice.offers, winner);
    return this.#assign(asked, view, winner);
  }

  /** `winner` is an index into the offers. */
  #assign({ number, request, pool, nowMs }: AskedLookup, view: CandidateView, winner: number): LookupVerdict {
    const { tickets, slots, version } = this.#table;
    const slot = this.#choice.offers.slots[winner]!;
    const record = slots.records[slot]!;
    const best: Pick = {
      gateway: record.gateway,
      url: record.url,
      ticketSeq: tickets.issue(slot, pool.sizes.weigh(request.size)),
    };
    countAssignment(slots.hot, slot * STRIDE, nowMs);
    record.picks++;
    countRequired(record.mostRequire, view.required);
    if (request.intent === 'move') record.movePicks++;
    if (request.key !== '' || request.exclude.length > 0) record.chosenPicks++;
    if (record.breaker.state !== 'closed') {
      breakerTried(record.breaker, nowMs);
      this.#table.refreshBar(record);
    }
    return {
      ok: true,
      lookupId: this.#id(number),
      best,
      alternates: this.#alternates(view, winner, request.alternates),
      tableVersion: version,
      tableAgeMs: Math.max(0, nowMs - slots.hot[slot * STRIDE + REPORTED_AT]!),
    };
  }

  #alternates(view: CandidateView, winner: number, wanted: number): Pick[] {
    const { tickets, slots, settings } = this.#table;
    const { offers, filter } = this.#choice;
    const runnersUp = offers.runnersUp(winner, wanted);
    const chosen = offers.slots[winner]!;
    const most = Math.min(wanted, view.size - 1);
    for (let i = 0; runnersUp.length < most && i < 4 * wanted; i++) {
      const slot = view.slots[view.draw(settings.random())]!;
      if (slot !== chosen && filter.allows(slot) && !runnersUp.includes(slot)) runnersUp.push(slot);
    }
    const picks: Pick[] = [];
    for (const slot of runnersUp) {
      const { gateway, url } = slots.records[slot]!;
      picks.push({ gateway, url, ticketSeq: tickets.number(slot) });
    }
    return picks;
  }

  #refuse(
    { number, request, pool, nowMs }: AskedLookup,
    code: 'none-eligible' | 'overloaded' | 'rate-limited' | 'starting',
    waitMs?: number,
  ): LookupVerdict {
    pool.rates.countRefusal();
    if (code !== 'overloaded') this.#ring.keepRefusal(number, code, nowMs);
    const returning = request.intent !== 'connect';
    const afterMs = waitMs ?? retryAfterMs(pool.rates.refusedShare, returning, this.#table.settings.random());
    return refusalOf(this.#table, { lookupId: this.#id(number), request, code, afterMs }, nowMs);
  }

  /** Counts once, against the gateway the ticket was for and signed for. */
  #noteFailure(request: LookupRequest, nowMs: number): void {
    const ticket = decodeTicket(request.failedTicket);
    if (!ticket.ok || ticket.value.heraldId !== this.#table.settings.heraldId) return;
    this.#table.pickFailed(ticket.value, request.exclude, nowMs);
  }

  #id(number: number): string {
    return this.#idPrefix + number.toString(36);
  }
}
