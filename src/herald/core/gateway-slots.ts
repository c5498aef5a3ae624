// The load table's memory: each gateway owns a slot. What a lookup reads of it lies side by side in one
// Float64Array (two cache lines a gateway), everything else in a plain record. A slot is reused only after
// its gateway was forgotten.

import type { Desired } from './balancer-types.ts';
import type { Breaker } from './breaker.ts';
import { newBreaker } from './breaker.ts';
import type { MostRequire } from './most-require.ts';
import { textHash } from './text-hash.ts';
import type { Turnover } from './turnover.ts';
import { noTurnover } from './turnover.ts';

/** Fields of `hot`, in the order a lookup reads them. Times in ms on the caller's clock. */
export const STRIDE = 16;
/**
 * The number of its pool when the gateway may be named at all (up, wanted up, not suspect, not stale), else SHUT. A view may
 * be older than a slot's move to another pool, or its new owner in one.
 */
export const OPEN = 0;
export const SHUT = 0;
/** When its newest report arrived. */
export const REPORTED_AT = 1;
/** Age from which it is not named. */
export const STALE_AFTER = 2;
/** Age from which it is penalised: three of its periods. */
export const LATE_AFTER = 3;
/** Observed load, floored against liars. */
export const BASE = 4;
/** Learned cost of one connection. */
export const COST = 5;
/** Connections not yet visible in the observed load, but for those that replace others. */
export const YOUNG = 6;
/** Tickets issued here and not yet seen as accepted, by expected size. */
export const PENDING = 7;
/** Assignments, exponential over 1 s, as of ASSIGNED_AT. */
export const ASSIGNED = 8;
export const ASSIGNED_AT = 9;
/** Of the capacity as far as its claim counts. */
export const INVERSE_CAPACITY = 10;
/** +10 while the breaker is open. */
export const BAR = 11;
/** Connections, for the hard cap. */
export const CONNECTIONS = 12;
/** Hard cap; Infinity = none. */
export const FULL_AT = 13;
/** Score as last reported. */
export const REPORTED = 14;
/** Smoothed share of its weight, 0.01..1 (agent-check, policy `weighted`). */
export const WEIGHT = 15;

export interface GatewayRecord {
  slot: number;
  gateway: string;
  url: string;
  pool: string;
  /** Of its pool, from 1 on. */
  poolNumber: number;
  zone: string;
  labels: Record<string, string>;
  capacity: number;
  bootId: string;
  /** The boot before this one: its late reports must not bring it back. */
  previousBootId: string | undefined;
  seq: number;
  periodMs: number;
  announced: 'up' | 'draining';
  desired: Desired;
  /** Set when its report connection closed without a goodbye. */
  suspect: boolean;
  suspectAtMs: number;
  /** When it went silent or suspect; Infinity while it is neither. */
  lostAtMs: number;
  /** When an operator lifted a drain or maint: for a while it is told to be ready again. */
  readyOrderedAtMs: number;
  /** True while the newest thing known of it came from another Herald and not from itself. */
  hearsay: boolean;
  /** Observer: corrected score, connections in it, smoothed error and its size. */
  correctedScore: number;
  visibleConnections: number;
  countsConnections: boolean;
  errorMean: number;
  errorSize: number;
  /** Measured score that its connections do not cause: the last one without any, and at most the lowest since. */
  idleScore: number;
  youngConnections: number;
  turnover: Turnover;
  maxConnections: number;
  /** Accepted connections by Herald as last reported in this boot; undefined before the first report. */
  admitted: Map<string, number> | undefined;
  acceptedTotal: number | undefined;
  /** Whether it says which tickets it admitted (or at least counts accepts). */
  countsTickets: boolean;
  /** The report that last said it let in clients of this Herald; how many its pool had let in, and its picks, by then. */
  lastLetIn: { atMs: number; ofPool: number; picks: number; chosenPicks: number } | undefined;
  breaker: Breaker;
  /** Agent weight before it is rounded into steps. */
  smoothWeight: number;
  weightPercent: number;
  picks: number;
  /** Of these, clients that followed a move order. */
  movePicks: number;
  /** Of these, clients that had a say in it, by a key or by excluding others. */
  chosenPicks: number;
  mostRequire: MostRequire;
  /** Number of the lookup at which this slot was given to this gateway. */
  bornAtLookup: number;
}

export const WANTED_UP: Desired = { state: 'up', reason: '', author: '', untilEpochMs: 0 };

export class GatewaySlots {
  hot = new Float64Array(64 * STRIDE);
  readonly records: (GatewayRecord | undefined)[] = [];
  /** Hash of each slot's gateway id, for affinity. */
  readonly hashes: number[] = [];
  readonly #slotOf = new Map<string, number>();
  readonly #free: number[] = [];

  get size(): number {
    return this.#slotOf.size;
  }

  slotOf(gateway: string): number {
    return this.#slotOf.get(gateway) ?? -1;
  }

  get(gateway: string): GatewayRecord | undefined {
    const slot = this.#slotOf.get(gateway);
    return slot === undefined ? undefined : this.records[slot];
  }

  *all(): IterableIterator<GatewayRecord> {
    for (const record of this.records) if (record) yield record;
  }

  add(gateway: string, bornAtLookup: number): GatewayRecord {
    const slot = this.#free.shift() ?? this.records.length;
    if ((slot + 1) * STRIDE > this.hot.length) {
      const larger = new Float64Array(this.hot.length * 2);
      larger.set(this.hot);
      this.hot = larger;
    }
    const record = newRecord(slot, gateway, bornAtLookup);
    this.records[slot] = record;
    this.hashes[slot] = textHash(gateway);
    this.#slotOf.set(gateway, slot);
    const at = slot * STRIDE;
    this.hot.fill(0, at, at + STRIDE);
    this.hot[at + INVERSE_CAPACITY] = 1;
    this.hot[at + FULL_AT] = Infinity;
    this.hot[at + WEIGHT] = 1;
    return record;
  }

  remove(record: GatewayRecord): void {
    this.hot.fill(0, record.slot * STRIDE, (record.slot + 1) * STRIDE);
    this.records[record.slot] = undefined;
    this.#slotOf.delete(record.gateway);
    this.#free.push(record.slot);
  }
}

function newRecord(slot: number, gateway: string, bornAtLookup: number): GatewayRecord {
  return {
    slot,
    gateway,
    url: '',
    pool: '',
    poolNumber: 0,
    zone: '',
    labels: {},
    capacity: 1,
    bootId: '',
    previousBootId: undefined,
    seq: -1,
    periodMs: 500,
    announced: 'up',
    desired: WANTED_UP,
    suspect: false,
    suspectAtMs: -Infinity,
    lostAtMs: Infinity,
    readyOrderedAtMs: -Infinity,
    hearsay: false,
    correctedScore: 0,
    visibleConnections: 0,
    countsConnections: false,
    errorMean: 0,
    errorSize: 0,
    idleScore: 0,
    youngConnections: 0,
    turnover: noTurnover(),
    maxConnections: 0,
    admitted: undefined,
    acceptedTotal: undefined,
    countsTickets: false,
    lastLetIn: undefined,
    breaker: newBreaker(),
    smoothWeight: 100,
    weightPercent: 100,
    picks: 0,
    movePicks: 0,
    chosenPicks: 0,
    mostRequire: { labels: undefined, lead: 0 },
    bornAtLookup,
  };
}
