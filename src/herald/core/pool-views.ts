// (5) The views of one pool, by what lookups require and wish for. What no gateway has is known without a look at
// each of them: anybody may ask for anything, as often as they like.

import type { ViewQuestion, Wish } from './candidate-view.ts';
import { CandidateView } from './candidate-view.ts';
import type { GatewaySlots } from './gateway-slots.ts';

/** Kinds of lookup whose view is kept; the oldest goes. */
const MAX_VIEWS = 128;
/**
 * Of more gateways than this a view is rebuilt at most every 50 ms, however fast the fleet changes, and wishes that are
 * combined as never before are met at most as often: they can be in any number of ways.
 */
const SMALL_VIEW = 512;
const REBUILD_MS = 50;
const NO_WISHES: readonly Wish[] = [];

export class PoolViews {
  readonly #slots: GatewaySlots;
  readonly #members: ReadonlySet<number>;
  readonly #maxCapacityRatio: number;
  readonly #views = new Map<string, CandidateView>();
  /** Every zone and label of a member, as wishes and requirements name them. */
  readonly #offered = new Set<string>();
  #offeredVersion = -1;
  #offeredAtMs = -Infinity;
  readonly #nobody: CandidateView;
  #newWishesAtMs = -Infinity;
  #version = 0;

  constructor(slots: GatewaySlots, members: ReadonlySet<number>, maxCapacityRatio: number) {
    this.#slots = slots;
    this.#members = members;
    this.#maxCapacityRatio = maxCapacityRatio;
    this.#nobody = this.#build([], { labels: {}, wishes: NO_WISHES }, 0);
  }

  /** A member opened, closed or changed its place. */
  changed(): void {
    this.#version++;
  }

  /** The view for required `labels` and, when there are wishes, of those that match one of them. */
  of(labels: Record<string, string>, nowMs: number, wishes = NO_WISHES): CandidateView {
    const key = viewKey(labels, wishes);
    const kept = this.#views.get(key);
    if (kept) {
      if (kept.builtVersion === this.#version || !isDue(kept.size, kept.builtAtMs, nowMs)) return kept;
      this.#views.delete(key);
    }
    for (const label in labels) {
      if (!this.#isOffered(offerOf(label, labels[label]!), nowMs)) return this.#nobody;
    }
    if (wishes.length > 0 && !kept) {
      if (!isDue(this.#members.size, this.#newWishesAtMs, nowMs)) return this.#nobody;
      this.#newWishesAtMs = nowMs;
    }
    if (this.#views.size >= MAX_VIEWS) {
      const oldest = this.#views.keys().next();
      if (!oldest.done) this.#views.delete(oldest.value);
    }
    const view = this.#build(this.#members, { labels, wishes }, nowMs, kept?.turn);
    this.#views.set(key, view);
    return view;
  }

  /** Those that a member could meet. */
  met(wishes: readonly Wish[], nowMs: number): readonly Wish[] {
    return wishes.filter(({ key, value }) => this.#isOffered(offerOf(key, value), nowMs));
  }

  #isOffered(offer: string, nowMs: number): boolean {
    const old = this.#offeredVersion !== this.#version;
    if (old && isDue(this.#members.size, this.#offeredAtMs, nowMs)) this.#lookThrough(nowMs);
    return this.#offered.has(offer);
  }

  #lookThrough(nowMs: number): void {
    this.#offered.clear();
    for (const slot of this.#members) {
      const { zone, labels } = this.#slots.records[slot]!;
      this.#offered.add(offerOf(undefined, zone));
      for (const key in labels) this.#offered.add(offerOf(key, labels[key]!));
    }
    this.#offeredVersion = this.#version;
    this.#offeredAtMs = nowMs;
  }

  #build(members: Iterable<number>, question: ViewQuestion, nowMs: number, turn = 0): CandidateView {
    return new CandidateView(
      this.#slots,
      members,
      question,
      this.#version,
      nowMs,
      turn,
      this.#maxCapacityRatio,
    );
  }
}

function viewKey(labels: Record<string, string>, wishes: readonly Wish[]): string {
  const keys = Object.keys(labels);
  if (keys.length === 0 && wishes.length === 0) return '';
  const required = keys.sort().map((key) => offerOf(key, labels[key]!));
  return `${required.join('&')}?${wishes.map(({ key, value }) => offerOf(key, value)).join('&')}`;
}

/** A label; without a key a zone, which no label can be mistaken for, as its key has a character. */
function offerOf(key: string | undefined, value: string): string {
  return `${key ?? ''}=${value}`;
}

function isDue(size: number, builtAtMs: number, nowMs: number): boolean {
  return size < SMALL_VIEW || nowMs - builtAtMs >= REBUILD_MS || nowMs < builtAtMs;
}
