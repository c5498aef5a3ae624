// Why a lookup got its answer: the last 10,000 lookups, each with the fields its candidates had at that
// moment. Only copies are kept; the words are made when somebody asks, with the very function that decided.

import type { AskedLookup } from './asked-lookup.ts';
import type { FleetFactors } from './expected-load.ts';
import { expectedLoad, handshakeLoad, stalePenalty } from './expected-load.ts';
import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import {
  ASSIGNED_AT,
  BAR,
  BASE,
  COST,
  OPEN,
  PENDING,
  REPORTED,
  REPORTED_AT,
  STRIDE,
  WEIGHT,
  YOUNG,
} from './gateway-slots.ts';
import type { ExplainedCandidate, Explanation, LookupWay } from './explanation.ts';
import type { Offers } from './offers.ts';

const KEPT_CANDIDATES = 8;
/** A candidate's fields; two that explain nothing make room for its slot and the load it was compared by. */
const ROW = STRIDE;
const SLOT = OPEN;
const COMPARED = WEIGHT;

/** What is kept of a lookup beside its candidates. */
const HEAD = 8;
const NUMBER = 0;
const AT_MS = 1;
const PENDING_FACTOR = 2;
const HANDSHAKE_FACTOR = 3;
const CANDIDATES = 4;
const WINNER = 5;
const WAY = 6;
const DRAWS = 7;

const WAYS: readonly LookupWay[] = [
  'drawn',
  'full-look',
  'affinity',
  'refused',
  'no-gateways',
  'none-eligible',
  'rate-limited',
  'starting',
];

export class ExplainRing {
  readonly #size: number;
  readonly #slots: GatewaySlots;
  readonly #heads: Float64Array;
  readonly #rows: Float32Array;

  constructor(size: number, slots: GatewaySlots) {
    this.#size = size;
    this.#slots = slots;
    this.#heads = new Float64Array(size * HEAD).fill(-1);
    this.#rows = new Float32Array(size * KEPT_CANDIDATES * ROW);
  }

  /** `winner` is an index into `offers` or -1. */
  keep({ number, pool, nowMs }: AskedLookup, way: LookupWay, offers: Offers, winner: number): void {
    if (this.#size === 0) return;
    const { draws, factors } = pool;
    const place = number % this.#size;
    const kept = Math.min(offers.size, KEPT_CANDIDATES);
    const heads = this.#heads;
    const head = place * HEAD;
    heads[head + NUMBER] = number;
    heads[head + AT_MS] = nowMs;
    heads[head + PENDING_FACTOR] = factors.pending;
    heads[head + HANDSHAKE_FACTOR] = factors.handshake;
    heads[head + CANDIDATES] = kept;
    // A winner beyond the kept ones takes the last place: it is the one that must be shown.
    heads[head + WINNER] = Math.min(winner, kept - 1);
    heads[head + WAY] = WAYS.indexOf(way);
    heads[head + DRAWS] = draws;
    const hot = this.#slots.hot;
    const rows = this.#rows;
    let row = place * KEPT_CANDIDATES * ROW;
    for (let i = 0; i < kept; i++, row += ROW) {
      const offer = i === kept - 1 && winner >= kept ? winner : i;
      const slot = offers.slots[offer]!;
      const at = slot * STRIDE;
      for (let field = 0; field < ROW; field++) rows[row + field] = hot[at + field]!;
      rows[row + SLOT] = slot;
      rows[row + COMPARED] = offers.loads[offer]!;
      // Times as ages: a float32 holds those exactly enough.
      rows[row + REPORTED_AT] = hot[at + REPORTED_AT]! - nowMs;
      rows[row + ASSIGNED_AT] = hot[at + ASSIGNED_AT]! - nowMs;
    }
  }

  /** Keeps that lookup `number` named nobody, unless it is kept with its candidates already. */
  keepRefusal(number: number, way: LookupWay, nowMs: number): void {
    const head = (number % this.#size) * HEAD;
    if (this.#size === 0 || this.#heads[head + NUMBER] === number) return;
    this.#heads.fill(0, head, head + HEAD);
    this.#heads[head + NUMBER] = number;
    this.#heads[head + AT_MS] = nowMs;
    this.#heads[head + WAY] = WAYS.indexOf(way);
  }

  explain(number: number, lookupId: string, nowMs: number | undefined): Explanation | undefined {
    const place = this.#size > 0 ? number % this.#size : -1;
    if (place < 0) return undefined;
    const head = this.#heads.subarray(place * HEAD, (place + 1) * HEAD);
    if (head[NUMBER] !== number) return undefined;
    const factors = { pending: head[PENDING_FACTOR]!, handshake: head[HANDSHAKE_FACTOR]! };
    const candidates: ExplainedCandidate[] = [];
    for (let i = 0; i < head[CANDIDATES]!; i++) {
      const start = (place * KEPT_CANDIDATES + i) * ROW;
      const row = Float64Array.from(this.#rows.subarray(start, start + ROW));
      const gateway = nameAt(this.#slots.records[row[SLOT]!], number);
      candidates.push(explained(row, factors, row[COMPARED]!, head[WINNER] === i, gateway));
    }
    return {
      lookupId,
      way: WAYS[head[WAY]!]!,
      atMs: head[AT_MS]!,
      ...(nowMs !== undefined && { ageMs: nowMs - head[AT_MS]! }),
      draws: head[DRAWS]!,
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
