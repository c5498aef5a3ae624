// Why a lookup got its answer: the last 10,000 lookups, each with the fields its candidates had at that
// moment. Only copies are kept; the words are made when somebody asks, with the very function that decided.

import type { FleetFactors } from './expected-load.ts';
import { expectedLoad, handshakeLoad, stalePenalty } from './expected-load.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import {
  ASSIGNED_AT,
  BAR,
  BASE,
  COST,
  PENDING,
  REPORTED,
  REPORTED_AT,
  STRIDE,
  YOUNG,
} from './gateway-slots.ts';
import type { ExplainedCandidate, Explanation, LookupWay } from './explanation.ts';
import type { Offers } from './offers.ts';

const KEPT_CANDIDATES = 8;
const ROW = STRIDE;

const WAYS: readonly LookupWay[] = ['drawn', 'full-look', 'affinity', 'refused'];

export class ExplainRing {
  readonly #size: number;
  readonly #rows: Float32Array;
  readonly #compared: Float32Array;
  readonly #candidates: Int32Array;
  readonly #meta: Uint8Array;
  readonly #atMs: Float64Array;
  readonly #factors: Float32Array;
  readonly #numbers: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#rows = new Float32Array(size * KEPT_CANDIDATES * ROW);
    this.#compared = new Float32Array(size * KEPT_CANDIDATES);
    this.#candidates = new Int32Array(size * KEPT_CANDIDATES);
    this.#meta = new Uint8Array(size * 4);
    this.#atMs = new Float64Array(size);
    this.#factors = new Float32Array(size * 2);
    this.#numbers = new Float64Array(size).fill(-1);
  }

  /** Keeps lookup `number`; `winner` is an index into `offers` or -1. */
  keep(
    number: number,
    offers: Offers,
    winner: number,
    way: LookupWay,
    draws: number,
    factors: FleetFactors,
    hot: Float64Array,
    nowMs: number,
  ): void {
    if (this.#size === 0) return;
    const place = number % this.#size;
    const kept = Math.min(offers.size, KEPT_CANDIDATES);
    this.#numbers[place] = number;
    this.#atMs[place] = nowMs;
    this.#factors[place * 2] = factors.pending;
    this.#factors[place * 2 + 1] = factors.handshake;
    this.#meta[place * 4] = kept;
    this.#meta[place * 4 + 1] = WAYS.indexOf(way);
    this.#meta[place * 4 + 2] = draws;
    this.#meta[place * 4 + 3] = 255;
    for (let i = 0; i < kept; i++) {
      // A winner beyond the kept ones takes the last place: it is the one that must be shown.
      const offer = i === kept - 1 && winner >= kept ? winner : i;
      if (offer === winner) this.#meta[place * 4 + 3] = i;
      const slot = offers.slots[offer]!;
      const to = place * KEPT_CANDIDATES + i;
      this.#candidates[to] = slot;
      this.#compared[to] = offers.loads[offer]!;
      const row = to * ROW;
      const at = slot * STRIDE;
      for (let field = 0; field < ROW; field++) this.#rows[row + field] = hot[at + field]!;
      // Times as ages: a float32 holds those exactly enough.
      this.#rows[row + REPORTED_AT] = hot[at + REPORTED_AT]! - nowMs;
      this.#rows[row + ASSIGNED_AT] = hot[at + ASSIGNED_AT]! - nowMs;
    }
  }

  explain(
    number: number,
    lookupId: string,
    slots: GatewaySlots,
    nowMs: number | undefined,
  ): Explanation | undefined {
    const place = this.#size > 0 ? number % this.#size : -1;
    if (place < 0 || this.#numbers[place] !== number) return undefined;
    const factors = { pending: this.#factors[place * 2]!, handshake: this.#factors[place * 2 + 1]! };
    const candidates: ExplainedCandidate[] = [];
    for (let i = 0; i < this.#meta[place * 4]!; i++) {
      const to = place * KEPT_CANDIDATES + i;
      const record = slots.records[this.#candidates[to]!];
      const row = Float64Array.from(this.#rows.subarray(to * ROW, (to + 1) * ROW));
      const won = this.#meta[place * 4 + 3] === i;
      candidates.push(explained(row, factors, this.#compared[to]!, won, nameAt(record, number)));
    }
    return {
      lookupId,
      way: WAYS[this.#meta[place * 4 + 1]!]!,
      atMs: this.#atMs[place]!,
      ...(nowMs !== undefined && { ageMs: nowMs - this.#atMs[place]! }),
      draws: this.#meta[place * 4 + 2]!,
      factors,
      candidates,
    };
  }
}

/** The slot's gateway, unless the slot has been given to another since. */
function nameAt(record: GatewayRecord | undefined, lookupNumber: number): string {
  return record && record.bornAtLookup <= lookupNumber ? record.gateway : '(forgotten)';
}

function explained(
  row: Float64Array,
  factors: FleetFactors,
  compared: number,
  won: boolean,
  gateway: string,
): ExplainedCandidate {
  return {
    gateway,
    ageMs: -row[REPORTED_AT]!,
    reported: row[REPORTED]!,
    observed: row[BASE]!,
    costPerConnection: row[COST]!,
    young: row[YOUNG]!,
    pending: row[PENDING]!,
    terms: {
      observed: row[BASE]!,
      young: row[COST]! * row[YOUNG]!,
      pending: row[COST]! * factors.pending * row[PENDING]!,
      handshake: handshakeLoad(row, 0, factors, 0),
      stale: stalePenalty(row, 0, 0),
      breaker: row[BAR]!,
    },
    expected: expectedLoad(row, 0, factors, 0),
    compared,
    won,
  };
}
