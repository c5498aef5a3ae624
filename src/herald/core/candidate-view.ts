// (5) The gateways of a pool that one kind of lookup may be given: those with its required labels, or those
// that match at least one of its wishes (zone, preferred labels). Built once per change of the pool, drawn
// from in constant time.

import { AliasTable } from './alias-table.ts';
import type { Removal } from './balancer-types.ts';
import type { GatewaySlots } from './gateway-slots.ts';
import { INVERSE_CAPACITY, OPEN, SHUT, STRIDE } from './gateway-slots.ts';

/** Something a client would rather have. */
export interface Wish {
  /** A label, or undefined for the zone. */
  key: string | undefined;
  value: string;
  /** How much more load it accepts for it. */
  weight: number;
}

export interface ViewQuestion {
  labels: Record<string, string>;
  /** Empty = everybody; else only gateways that match one of them. */
  wishes: readonly Wish[];
}

/** What a view needs to know of its pool. */
export interface ViewPool {
  /** Grows with the pool's changes; the view is of this one. */
  version: number;
  /** Claimed capacity counts up to this many times the median. */
  maxCapacityRatio: number;
  /** Whose turn it was in the view before. */
  turn: number;
}

const MOST_SHORTLISTED = 32;
const FULL_MS = 100;

/** The least loaded of a full look, kept for 100 ms; see full-look.ts. */
export class Shortlist {
  /** In the view. */
  readonly indices = new Int32Array(MOST_SHORTLISTED);
  size = 0;
  lookedAtMs = -Infinity;
  /** Whether the pool was frozen then. */
  frozen = false;
}

export class CandidateView {
  readonly slots: Int32Array;
  /** Of each, as far as its claim counts, and the largest of them. */
  readonly capacities: Float64Array;
  readonly largest: number;
  /** Labels that all of them had when it was built; undefined = none is required. */
  readonly required: Record<string, string> | undefined;
  /** By index, a bit for each wish that is met. */
  readonly #met: Uint32Array;
  readonly #table: AliasTable;
  #fullAdmit = -Infinity;
  #fullAtMs = -Infinity;
  readonly builtVersion: number;
  readonly shortlist = new Shortlist();
  /** For when breakers are not obeyed. */
  readonly unbarredShortlist = new Shortlist();
  /** Whether breakers shut out most that could be named; see choice.ts. */
  mostAreBarred = false;
  barsCountedAtMs = -Infinity;
  /** Next turn of `round-robin`. */
  turn: number;
  /** What was counted when this view last had nobody to name. */
  lastRemoval: { atMs: number; removal: Removal } | undefined;

  constructor(
    slots: GatewaySlots,
    members: Iterable<number>,
    question: ViewQuestion,
    { version, maxCapacityRatio, turn }: ViewPool,
  ) {
    const found: number[] = [];
    const met: number[] = [];
    for (const slot of members) {
      if (slots.hot[slot * STRIDE + OPEN] === SHUT) continue;
      const record = slots.records[slot]!;
      if (!hasLabels(record.labels, question.labels)) continue;
      const wishes = wishesMet(record.zone, record.labels, question.wishes);
      if (question.wishes.length > 0 && wishes === 0) continue;
      found.push(slot);
      met.push(wishes);
    }
    this.required = Object.keys(question.labels).length > 0 ? question.labels : undefined;
    this.slots = Int32Array.from(found);
    this.#met = Uint32Array.from(met);
    const claimed = Float64Array.from(found, (slot) => 1 / slots.hot[slot * STRIDE + INVERSE_CAPACITY]!);
    const most = mostCapacity(claimed, maxCapacityRatio);
    this.capacities = claimed.map((capacity) => Math.min(capacity, most));
    this.largest = this.capacities.reduce((most, capacity) => Math.max(most, capacity), 0);
    this.#table = new AliasTable(this.capacities);
    this.builtVersion = version;
    this.turn = turn;
  }

  /** A full look found nobody at or under `admit`: for 100 ms the next ones need not look again. */
  noteFull(admit: number, nowMs: number): void {
    this.#fullAdmit = admit;
    this.#fullAtMs = nowMs;
  }

  isFull(admit: number, nowMs: number): boolean {
    return admit <= this.#fullAdmit && nowMs >= this.#fullAtMs && nowMs - this.#fullAtMs < FULL_MS;
  }

  /** Load forgiven to gateway `index`: the sum of the weights, in the order of the wishes, of those it meets. */
  forgiven(index: number, weights: readonly number[]): number {
    let sum = 0;
    for (let met = this.#met[index]!, i = 0; met > 0; met >>= 1, i++) if ((met & 1) === 1) sum += weights[i]!;
    return sum;
  }

  get size(): number {
    return this.slots.length;
  }

  /** An index into `slots`, drawn by capacity. */
  draw(random: number): number {
    return this.#table.draw(random);
  }
}

export function hasLabels(labels: Record<string, string>, required: Record<string, string>): boolean {
  for (const key in required) if (labels[key] !== required[key]) return false;
  return true;
}

/** Capacity is only claimed: what counts of it is at most `ratio` times the median one. */
export function mostCapacity(claimed: Float64Array, ratio: number): number {
  if (claimed.length === 0 || !(ratio > 0)) return Infinity;
  return ratio * claimed.toSorted()[(claimed.length - 1) >> 1]!;
}

/** Bit i is set where wish i is met; there are at most 17. */
function wishesMet(zone: string, labels: Record<string, string>, wishes: readonly Wish[]): number {
  let met = 0;
  for (const [i, { key, value }] of wishes.entries()) {
    if ((key === undefined ? zone : labels[key]) === value) met |= 1 << i;
  }
  return met;
}
