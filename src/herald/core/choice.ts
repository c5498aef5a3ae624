// (5) Which gateway a lookup is given: the policy offers candidates, this file guards the choice (affinity, wishes,
// admission, breakers).

import type { LookupRequest } from '../../protocol/lookup.ts';
import { offerOwners } from './affinity.ts';
import type { AskedLookup } from './asked-lookup.ts';
import type { CandidateView, Wish } from './candidate-view.ts';
import { UNCONFIRMED_MOST, unconfirmedLoad } from './expected-load.ts';
import type { LookupWay } from './explanation.ts';
import { fullLook } from './full-look.ts';
import { BAR, STRIDE } from './gateway-slots.ts';
import type { LoadTable } from './load-table.ts';
import { LookupFilter } from './lookup-filter.ts';
import { Offers } from './offers.ts';
import { POLICIES } from './policies/index.ts';
import type { Policy, Question } from './policies/policy.ts';
import type { Pool } from './pool.ts';
import { NO_WISHES } from './pool-views.ts';

/** Keyed lookups may leave their owner at this much over the mean, however small the mean is. */
const AFFINITY_SLACK = 0.1;
const HOT_KEY_DRAWS = 2;
const BARS_COUNT_MS = 100;
const SHARE_CAP_FROM_PER_SEC = 20;

/** One instance per Herald, reused by every lookup, so that deciding allocates next to nothing. */
export class Choice {
  readonly #table: LoadTable;
  /** Of the present lookup. */
  readonly filter: LookupFilter;
  readonly offers = new Offers();

  constructor(table: LoadTable) {
    this.#table = table;
    this.filter = new LookupFilter(table.slots, table.tickets);
  }

  /** Fills the offers, with nobody where there is nobody, and says how; `refused` when the best may not be named. */
  make(asked: AskedLookup, view: CandidateView, hotKey: boolean): LookupWay {
    const { request, pool, nowMs } = asked;
    const { massLoss, sleep } = this.#table;
    const { offers, filter } = this;
    filter.aim(asked, view.required, massLoss.isFrozen(pool.name) || sleep.holds(nowMs));
    offers.clear();
    if (view.size === 0) return 'drawn';
    const policy = POLICIES[pool.policy.policy];
    const question = this.#question(asked, view, hotKey);
    if (request.key !== '' && !hotKey) {
      offerOwners(request.key, affinityBound(pool, question.admit), question, offers);
      if (offers.size > 0) return 'affinity';
    }
    if (policy.comparesExpectedLoad) return this.#byExpectedLoad(policy, asked, question);
    policy.offer(question, offers);
    // The draws may have met only gateways that this lookup may not have; one of the others will do.
    if (offers.size === 0) fullLook(question, offers);
    return 'drawn';
  }

  /** With wishes, admission and breakers, which mean something to loads that are expected. */
  #byExpectedLoad(policy: Policy, { request, pool }: AskedLookup, question: Question): LookupWay {
    const { offers } = this;
    const { view, admit, nowMs } = question;
    const wished = this.#wished(pool, request, question);
    if (request.intent !== 'move') {
      if (wished) policy.offer(wished, offers);
      policy.offer(question, offers);
      const best = offers.least();
      if (best >= 0 && this.#admits(best, question)) return 'drawn';
      if (best >= 0 && view.isFull(admit, nowMs)) return 'refused';
    }
    if (this.#lookAtAll(question, wished)) return 'full-look';
    if (this.#mostAreBarred(view, nowMs)) {
      // The fault is not theirs then, and their breakers are not obeyed.
      if (this.#lookAtAll(unbarred(question), wished && unbarred(wished))) return 'full-look';
    }
    // What only this client excludes, others may have.
    if (request.exclude.length === 0) view.noteFull(admit, nowMs);
    return 'refused';
  }

  /** Offers the best of all; false when even they are too loaded. */
  #lookAtAll(question: Question, wished: Question | undefined): boolean {
    const { offers } = this;
    offers.clear();
    if (wished) fullLook(wished, offers);
    fullLook(question, offers);
    const best = offers.least();
    return best < 0 || this.#admits(best, question);
  }

  /** Counts again after a tenth of a second: it costs a look at all. */
  #mostAreBarred(view: CandidateView, nowMs: number): boolean {
    const sinceMs = nowMs - view.barsCountedAtMs;
    if (sinceMs >= 0 && sinceMs < BARS_COUNT_MS) return view.mostAreBarred;
    let barred = 0;
    let count = 0;
    for (const slot of view.slots) {
      if (!this.filter.allowsAnyone(slot)) continue;
      count++;
      if (this.#table.slots.hot[slot * STRIDE + BAR]! > 0) barred++;
    }
    view.barsCountedAtMs = nowMs;
    view.mostAreBarred = barred * 2 > count;
    return view.mostAreBarred;
  }

  /** Whether offer `index` is under the admission limit; lookups alone cannot take a gateway above it. */
  #admits(index: number, { admit, factors, nowMs }: Question): boolean {
    const load = this.offers.loads[index]!;
    if (load <= admit) return true;
    const at = this.offers.slots[index]! * STRIDE;
    const unconfirmed = unconfirmedLoad(this.#table.slots.hot, at, factors, nowMs);
    return load - Math.max(0, unconfirmed - UNCONFIRMED_MOST) <= admit;
  }

  #question({ request, pool, nowMs }: AskedLookup, view: CandidateView, hotKey: boolean): Question {
    const { admitScore, admitReturningScore } = pool.policy;
    return {
      slots: this.#table.slots,
      view,
      weights: undefined,
      filter: this.filter,
      factors: pool.factors,
      random: this.#table.settings.random,
      nowMs,
      draws: hotKey ? Math.min(HOT_KEY_DRAWS, pool.draws) : pool.draws,
      admit: request.intent === 'connect' ? admitScore : admitReturningScore,
      obeysBreakers: true,
      mostAssigned: mostAssigned(pool),
      alternates: request.alternates,
    };
  }

  /** The same question about the gateways that meet a wish, whose loads are forgiven by its weight. */
  #wished(pool: Pool, request: LookupRequest, question: Question): Question | undefined {
    const wishes = pool.views.met(wishesOf(request, pool.policy.zoneSpill));
    if (wishes.length === 0) return undefined;
    const view = pool.views.of(request.labels, question.nowMs, wishes);
    return view.size > 0 ? { ...question, view, weights: wishes.map(({ weight }) => weight) } : undefined;
  }
}

function unbarred(question: Question): Question {
  return { ...question, obeysBreakers: false };
}

/** The load from which a keyed lookup leaves its owner. */
function affinityBound({ meanLoad, openCapacity, policy }: Pool, admit: number): number {
  // In the first moments of a pool its mean is not known yet.
  if (!(openCapacity > 0)) return admit;
  return Math.min(admit, Math.max(meanLoad * policy.affinityBound, meanLoad + AFFINITY_SLACK));
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
