// (5) The lookup: from a client's question to a named gateway and a ticket, in O(draws). The policy offers
// candidates; this file guards the choice (rate limit, breakers, admission, affinity) and keeps the books.

import type { LookupRequest } from '../../protocol/lookup.ts';
import { decodeTicket } from '../../protocol/ticket.ts';
import { evenly, ownTimeMs, retryAfterMs } from './admission.ts';
import { offerOwner } from './affinity.ts';
import type { LookupVerdict, Pick } from './balancer-types.ts';
import { breakerTried } from './breaker.ts';
import type { CandidateView, Wish } from './candidate-view.ts';
import { countAssignment, UNCONFIRMED_MOST, unconfirmedLoad } from './expected-load.ts';
import type { ExplainRing } from './explain-ring.ts';
import type { LookupWay } from './explanation.ts';
import { fullLook } from './full-look.ts';
import { BAR, REPORTED_AT, STRIDE } from './gateway-slots.ts';
import { LookupFilter } from './lookup-filter.ts';
import type { LoadTable } from './load-table.ts';
import { Offers } from './offers.ts';
import type { Question } from './policies/policy.ts';
import { POLICIES } from './policies/index.ts';
import type { Pool } from './pool.ts';
import { refusalOf } from './refusal.ts';

/** Keyed lookups may leave their owner at this much over the mean, however small the mean is. */
const AFFINITY_SLACK = 0.1;
const NO_WISHES: readonly Wish[] = [];
const HOT_KEY_DRAWS = 2;
const SHARE_CAP_FROM_PER_SEC = 20;
/** When to ask again, on average: a pool is new or its Herald is, or this Herald was stopped. */
const NO_GATEWAYS_MS = 2_000;
const WOKE_UP_MS = 1_000;

export class Lookups {
  readonly #table: LoadTable;
  readonly #ring: ExplainRing;
  readonly #idPrefix: string;
  readonly #filter: LookupFilter;
  readonly #offers = new Offers();

  constructor(table: LoadTable, ring: ExplainRing, idPrefix: string) {
    this.#table = table;
    this.#ring = ring;
    this.#idPrefix = idPrefix;
    this.#filter = new LookupFilter(table.slots, table.tickets);
  }

  lookup(request: LookupRequest, nowMs: number): LookupVerdict {
    const table = this.#table;
    const number = table.lookups++;
    const pool = table.pools.get(request.pool);
    if (request.failedTicket !== '') this.#noteFailure(request, nowMs);
    if (!pool || pool.members.size === 0) {
      this.#ring.keepRefusal(number, 'no-gateways', nowMs);
      const afterMs = ownTimeMs(NO_GATEWAYS_MS, evenly(number));
      return refusalOf(table, pool, request, this.#id(number), 'no-gateways', afterMs, nowMs);
    }
    pool.renew(nowMs, table.settings.leftOut);
    pool.rates.countLookup();
    const waitMs = pool.bucket.take(nowMs);
    if (waitMs > 0) return this.#refuse(pool, request, number, 'rate-limited', nowMs, waitMs);
    if (table.sleep.wokeUp()) {
      const afterMs = ownTimeMs(WOKE_UP_MS, evenly(number));
      return this.#refuse(pool, request, number, 'starting', nowMs, afterMs);
    }
    const hotKey = pool.hotKeys.count(request.key, nowMs);
    const named = this.#name(pool, request, number, hotKey, nowMs);
    if (named) return named;
    // All lost since the last tick: perhaps the fault is ours, and then they are still to be named.
    const again = table.judgeNow(pool, nowMs) && this.#name(pool, request, number, hotKey, nowMs);
    return again || this.#refuse(pool, request, number, 'none-eligible', nowMs);
  }

  /** Undefined when there is nobody to be named. */
  #name(
    pool: Pool,
    request: LookupRequest,
    number: number,
    hotKey: boolean,
    nowMs: number,
  ): LookupVerdict | undefined {
    const table = this.#table;
    const frozen = table.massLoss.isFrozen(pool.name) || table.sleep.holds(nowMs);
    this.#filter.aim(request.exclude, frozen, pool.factors.pending, nowMs);
    const view = pool.views.of(request.labels, nowMs);
    if (view.size === 0) return undefined;

    const way = this.#choose(pool, view, request, hotKey, nowMs);
    const winner = this.#offers.least();
    if (winner < 0) return undefined;
    if (way === 'refused') {
      this.#keep(number, pool, -1, way, nowMs);
      const barred = table.slots.hot[this.#offers.slots[winner]! * STRIDE + BAR]! > 0;
      return this.#refuse(pool, request, number, barred ? 'none-eligible' : 'overloaded', nowMs);
    }
    this.#keep(number, pool, winner, way, nowMs);
    return this.#assign(view, request, number, winner, nowMs);
  }

  /** Fills the offers and says how; `refused` when the best of them may not be named. */
  #choose(
    pool: Pool,
    view: CandidateView,
    request: LookupRequest,
    hotKey: boolean,
    nowMs: number,
  ): LookupWay {
    const { slots } = this.#table;
    const offers = this.#offers;
    const policy = POLICIES[pool.policy.policy];
    const admit = request.intent === 'connect' ? pool.policy.admitScore : pool.policy.admitReturningScore;
    offers.clear();
    if (request.key !== '' && !hotKey) {
      const { meanLoad, openCapacity } = pool;
      const evenLoad = Math.max(meanLoad * pool.policy.affinityBound, meanLoad + AFFINITY_SLACK);
      // In the first moments of a pool its mean is not known yet.
      const bound = openCapacity > 0 ? Math.min(admit, evenLoad) : admit;
      offerOwner(request.key, view, bound, slots, this.#filter, pool.factors, offers, nowMs);
      if (offers.size > 0) return 'affinity';
    }
    const question = this.#question(pool, view, request, hotKey, admit, nowMs);
    if (!policy.comparesExpectedLoad) {
      policy.offer(question, offers);
      // The draws may have met only gateways that this lookup may not have; one of the others will do.
      if (offers.size === 0) fullLook(question, offers);
      return 'drawn';
    }
    const wished = this.#wished(pool, request, question);
    if (request.intent !== 'move') {
      if (wished) policy.offer(wished, offers);
      policy.offer(question, offers);
      const best = offers.least();
      if (best >= 0 && this.#admits(best, question)) return 'drawn';
      if (best >= 0 && view.isFull(admit, nowMs)) return 'refused';
    }
    offers.clear();
    if (wished) fullLook(wished, offers);
    fullLook(question, offers);
    const best = offers.least();
    if (best < 0 || this.#admits(best, question)) return 'full-look';
    if (this.#mostAreBarred(pool)) {
      this.#liftBars();
      if (this.#admits(offers.least(), question)) return 'full-look';
    }
    // What only this client excludes, others may have.
    if (request.exclude.length === 0) view.noteFull(admit, nowMs);
    return 'refused';
  }

  /** Whether offer `index` is under the admission limit; lookups alone cannot take a gateway above it. */
  #admits(index: number, { admit, factors, nowMs }: Question): boolean {
    const load = this.#offers.loads[index]!;
    if (load <= admit) return true;
    const at = this.#offers.slots[index]! * STRIDE;
    const unconfirmed = unconfirmedLoad(this.#table.slots.hot, at, factors, nowMs);
    return load - Math.max(0, unconfirmed - UNCONFIRMED_MOST) <= admit;
  }

  #question(
    pool: Pool,
    view: CandidateView,
    request: LookupRequest,
    hotKey: boolean,
    admit: number,
    nowMs: number,
  ): Question {
    return {
      slots: this.#table.slots,
      view,
      weights: undefined,
      filter: this.#filter,
      factors: pool.factors,
      random: this.#table.settings.random,
      nowMs,
      draws: hotKey ? Math.min(HOT_KEY_DRAWS, pool.draws) : pool.draws,
      admit,
      mostAssigned: mostAssigned(pool),
      alternates: request.alternates,
    };
  }

  /** The same question about the gateways that meet a wish, whose loads are forgiven by its weight. */
  #wished(pool: Pool, request: LookupRequest, question: Question): Question | undefined {
    const wishes = pool.views.met(wishesOf(request, pool.policy.zoneSpill), question.nowMs);
    if (wishes.length === 0) return undefined;
    const view = pool.views.of(request.labels, question.nowMs, wishes);
    return view.size > 0 ? { ...question, view, weights: wishes.map(({ weight }) => weight) } : undefined;
  }

  /** When most breakers, of gateways that could be named, are open the fault is not theirs: then they are not obeyed. */
  #mostAreBarred(pool: Pool): boolean {
    let barred = 0;
    let count = 0;
    for (const slot of pool.members) {
      if (!this.#filter.allowsAnyone(slot)) continue;
      count++;
      if (this.#table.slots.hot[slot * STRIDE + BAR]! > 0) barred++;
    }
    return barred * 2 > count;
  }

  #liftBars(): void {
    const { hot } = this.#table.slots;
    const { loads, slots, size } = this.#offers;
    for (let i = 0; i < size; i++) loads[i]! -= hot[slots[i]! * STRIDE + BAR]!;
  }

  #assign(
    view: CandidateView,
    request: LookupRequest,
    number: number,
    winner: number,
    nowMs: number,
  ): LookupVerdict {
    const { tickets, slots, version } = this.#table;
    const slot = this.#offers.slots[winner]!;
    const record = slots.records[slot]!;
    const best: Pick = {
      gateway: record.gateway,
      url: record.url,
      ticketSeq: tickets.issue(slot, request.size),
    };
    countAssignment(slots.hot, slot * STRIDE, nowMs);
    record.picks++;
    if (request.intent === 'move') record.movePicks++;
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
    const runnersUp = this.#offers.runnersUp(winner, wanted);
    const chosen = this.#offers.slots[winner]!;
    const most = Math.min(wanted, view.size - 1);
    for (let i = 0; runnersUp.length < most && i < 4 * wanted; i++) {
      const slot = view.slots[view.draw(settings.random())]!;
      if (slot !== chosen && this.#filter.allows(slot) && !runnersUp.includes(slot)) runnersUp.push(slot);
    }
    const picks: Pick[] = [];
    for (const slot of runnersUp) {
      const { gateway, url } = slots.records[slot]!;
      picks.push({ gateway, url, ticketSeq: tickets.number(slot) });
    }
    return picks;
  }

  #refuse(
    pool: Pool,
    request: LookupRequest,
    number: number,
    code: 'none-eligible' | 'overloaded' | 'rate-limited' | 'starting',
    nowMs: number,
    waitMs?: number,
  ): LookupVerdict {
    pool.rates.countRefusal();
    if (code !== 'overloaded') this.#ring.keepRefusal(number, code, nowMs);
    const returning = request.intent !== 'connect';
    const afterMs = waitMs ?? retryAfterMs(pool.rates.refusedShare, returning, this.#table.settings.random());
    return refusalOf(this.#table, pool, request, this.#id(number), code, afterMs, nowMs);
  }

  /** Counts once, against the gateway the ticket was for and signed for. */
  #noteFailure(request: LookupRequest, nowMs: number): void {
    const ticket = decodeTicket(request.failedTicket);
    if (!ticket.ok || ticket.value.heraldId !== this.#table.settings.heraldId) return;
    this.#table.pickFailed(ticket.value, request.exclude, nowMs);
  }

  #keep(number: number, pool: Pool, winner: number, way: LookupWay, nowMs: number): void {
    this.#ring.keep(
      number,
      this.#offers,
      winner,
      way,
      pool.draws,
      pool.factors,
      this.#table.slots.hot,
      nowMs,
    );
  }

  #id(number: number): string {
    return this.#idPrefix + number.toString(36);
  }
}

/** shareCap times the fair share of the last seconds' lookups; none while they are few. */
function mostAssigned(pool: Pool): number {
  const { shareCap } = pool.policy;
  if (!(shareCap > 0) || pool.rates.perSec < SHARE_CAP_FROM_PER_SEC) return Infinity;
  return (shareCap * pool.rates.perSec) / pool.openCapacity;
}

function wishesOf(request: LookupRequest, zoneSpill: number): readonly Wish[] {
  const preferred = request.preferred;
  if (request.zone === '' && (preferred === undefined || preferred.length === 0)) return NO_WISHES;
  const wishes: Wish[] = [...(preferred ?? [])];
  if (request.zone !== '') wishes.push({ key: undefined, value: request.zone, weight: zoneSpill });
  return wishes.filter(({ weight }) => weight > 0);
}
