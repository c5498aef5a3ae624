// (5) The views of one pool, by what lookups require and wish for. Anybody may ask for anything, as often as they like,
// so what is asked for the first time costs a look at few gateways, however many there are.

import type { ViewQuestion, Wish } from './candidate-view.ts';
import { CandidateView } from './candidate-view.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import type { Slots } from './label-index.ts';
import { LabelIndex } from './label-index.ts';
import { areMany, LongLooks } from './long-looks.ts';

/** Kinds of lookup whose view is kept; the oldest goes. */
const MAX_VIEWS = 128;
/** Gateways that a view is made of when there is no time to look at all that may be in it. */
const SAMPLE = 128;
export const NO_WISHES: readonly Wish[] = [];

export class PoolViews {
  readonly #slots: GatewaySlots;
  readonly #members: ReadonlySet<number>;
  readonly #maxCapacityRatio: number;
  readonly #index = new LabelIndex();
  readonly #views = new Map<string, CandidateView>();
  readonly #nobody: CandidateView;
  /** Of lookups that require and wish for nothing. */
  #all: CandidateView;
  readonly #looksAtAll = new LongLooks();
  readonly #looks = new LongLooks();
  readonly #counts = new LongLooks();
  #version = 0;

  constructor(slots: GatewaySlots, members: ReadonlySet<number>, maxCapacityRatio: number) {
    this.#slots = slots;
    this.#members = members;
    this.#maxCapacityRatio = maxCapacityRatio;
    this.#nobody = this.#build([], { labels: {}, wishes: NO_WISHES });
    this.#all = this.#nobody;
  }

  joined(record: GatewayRecord): void {
    this.#index.add(record);
  }

  /** To be called before its zone or labels change. */
  left(record: GatewayRecord): void {
    this.#index.delete(record);
  }

  /** Somebody came, went, opened or closed. */
  changed(): void {
    this.#version++;
  }

  /**
   * The view for required `labels` and, when there are wishes, of those that match one of them. It may be older than the
   * last change, and then hold gateways that have left: lookup-filter.ts knows them.
   */
  of(labels: Record<string, string>, nowMs: number, wishes = NO_WISHES): CandidateView {
    const key = viewKey(labels, wishes);
    if (key === '') return this.#ofAll(nowMs);
    const kept = this.#views.get(key);
    if (kept?.builtVersion === this.#version) return kept;
    const question = { labels, wishes };
    const among = wishes.length > 0 ? this.#wished(labels, wishes) : this.having(labels);
    if (among.size === 0) return this.#nobody;
    if (this.#looks.may(among.size, nowMs)) return this.#keep(key, this.#build(among, question, kept?.turn));
    if (kept) return kept;
    // What is required must be met, a wish need not.
    return wishes.length > 0 ? this.#nobody : this.#build(this.#index.sample(labels, SAMPLE), question);
  }

  #keep(key: string, view: CandidateView): CandidateView {
    this.#views.delete(key);
    if (this.#views.size >= MAX_VIEWS) this.#views.delete(this.#views.keys().next().value!);
    this.#views.set(key, view);
    return view;
  }

  /** The members with the rarest of `labels`: no others can have them all. */
  having(labels: Record<string, string>): Slots {
    return this.#index.rarest(labels) ?? this.#members;
  }

  /** Whether there is time to count why that many are not named. */
  mayCount(size: number, nowMs: number): boolean {
    return this.#counts.may(size, nowMs);
  }

  /** Those that a member meets. */
  met(wishes: readonly Wish[]): readonly Wish[] {
    return wishes.filter(({ key, value }) => this.#index.of(key, value).size > 0);
  }

  #ofAll(nowMs: number): CandidateView {
    const { builtVersion, turn } = this.#all;
    if (builtVersion !== this.#version && this.#looksAtAll.may(this.#members.size, nowMs)) {
      this.#all = this.#build(this.#members, { labels: {}, wishes: NO_WISHES }, turn);
    }
    return this.#all;
  }

  /** Members that may have the labels and meet a wish; no others can. */
  #wished(labels: Record<string, string>, wishes: readonly Wish[]): Slots {
    const having = this.having(labels);
    const meeting = wishes.map(({ key, value }) => this.#index.of(key, value));
    const count = meeting.reduce((sum, { size }) => sum + size, 0);
    if (meeting.length === 1 && count < having.size) return meeting[0]!;
    return count < having.size && !areMany(count) ? new Set(meeting.flatMap((slots) => [...slots])) : having;
  }

  #build(among: Iterable<number>, question: ViewQuestion, turn = 0): CandidateView {
    const pool = { version: this.#version, maxCapacityRatio: this.#maxCapacityRatio, turn };
    return new CandidateView(this.#slots, among, question, pool);
  }
}

export function viewKey(labels: Record<string, string>, wishes = NO_WISHES): string {
  const keys = Object.keys(labels);
  if (keys.length === 0 && wishes.length === 0) return '';
  const required = keys.sort().map((key) => pairOf(key, labels[key]!));
  return `${required.join('&')}?${wishes.map(({ key, value }) => pairOf(key, value)).join('&')}`;
}

function pairOf(key = '', value: string): string {
  return `${key}=${value}`;
}
