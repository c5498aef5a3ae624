// Tickets in flight: issued here, not yet seen in the gateway's counters. Kept per gateway in buckets of
// 200 ms over 10 s, so that issue, confirm and expire are O(1) and the count can neither go negative nor
// grow past what was issued in 10 s. Only those young enough to be still on their way count as load to come;
// an older one is overdue: probably nobody came. Also remembers who each recent ticket was for.

import type { GatewaySlots } from './gateway-slots.ts';
import { PENDING, STRIDE } from './gateway-slots.ts';

const BUCKET_MS = 200;
const BUCKETS = 50;
/** A ticket not confirmed by then will not be: its connection failed or was never tried. */
const PENDING_MS = BUCKET_MS * BUCKETS;
/** What a client takes from its lookup to its accepted handshake, generously. */
const CONNECT_MS = 500;
/** And its gateway to report it: this many of its periods, so that one report may be lost. */
const REPORT_PERIODS = 2;
/**
 * Tickets of one gateway are numbered in runs, each from a multiple of this, so that they can be signed together. Not
 * above 32: a run's failures are the bits of a word.
 */
export const TICKET_RUN = 32;
/**
 * Runs whose gateway is remembered, for clients that come back and say which pick failed: enough for 65,536
 * tickets even when each of them begins a run.
 */
const REMEMBERED_RUNS = 65_536;
const REMEMBERED = REMEMBERED_RUNS * TICKET_RUN;

export class TicketsInFlight {
  readonly #slots: GatewaySlots;
  #buckets = new Float64Array(64 * BUCKETS);
  /** Tickets in all buckets of a slot. */
  #counts = new Float64Array(64);
  /** Those of them that are not overdue, and after how many buckets they are. */
  #coming = new Float64Array(64);
  #overdueAfter = new Uint8Array(64).fill(overdueAfter(500));
  /** Next number of each slot's run, and how many are left of it. */
  #nextOfSlot = new Float64Array(64);
  #leftOfSlot = new Uint8Array(64);
  #bucketNow = 0;
  /** Time in buckets up to which `roll` has come. */
  #rolledTo: number | undefined;
  /** Where the next run begins. */
  #nextSeq: number;
  /** Slot a run was begun for, and which of its tickets failed already, a bit for each. */
  readonly #slotOfRun = new Int32Array(REMEMBERED_RUNS).fill(-1);
  readonly #failedOfRun = new Uint32Array(REMEMBERED_RUNS);
  readonly #firstSeq: number;

  constructor(slots: GatewaySlots, firstSeq: number) {
    this.#slots = slots;
    this.#nextSeq = Math.ceil(firstSeq / TICKET_RUN) * TICKET_RUN;
    this.#firstSeq = this.#nextSeq;
  }

  /** A ticket number for an alternate: remembered, not counted as on its way. */
  number(slot: number): number {
    if (slot >= this.#counts.length) this.#grow(slot);
    let seq = this.#nextOfSlot[slot]!;
    // A run that is half forgotten is left: what is handed out must be remembered for a while.
    if (this.#leftOfSlot[slot] === 0 || seq < this.#nextSeq - REMEMBERED / 2) {
      seq = this.#nextSeq;
      this.#nextSeq += TICKET_RUN;
      this.#leftOfSlot[slot] = TICKET_RUN;
      const run = runOf(seq);
      this.#slotOfRun[run] = slot;
      this.#failedOfRun[run] = 0;
    }
    this.#nextOfSlot[slot] = seq + 1;
    this.#leftOfSlot[slot]! -= 1;
    return seq;
  }

  issue(slot: number, size: number): number {
    if (slot >= this.#counts.length) this.#grow(slot);
    this.#buckets[slot * BUCKETS + this.#bucketNow]! += 1;
    this.#counts[slot]! += 1;
    this.#coming[slot]! += 1;
    this.#slots.hot[slot * STRIDE + PENDING]! += size;
    return this.number(slot);
  }

  count(slot: number): number {
    return this.#counts[slot] ?? 0;
  }

  /** Those that are not overdue. */
  coming(slot: number): number {
    return this.#coming[slot] ?? 0;
  }

  /** The gateway reports every `periodMs`: sets from which age a ticket is overdue. */
  expectReports(slot: number, periodMs: number): void {
    if (slot >= this.#counts.length) this.#grow(slot);
    const after = overdueAfter(periodMs);
    if (this.#overdueAfter[slot] === after) return;
    this.#overdueAfter[slot] = after;
    let coming = 0;
    for (let age = 0; age < after; age++) coming += this.#buckets[this.#bucket(slot, age)]!;
    if (coming > this.#coming[slot]!) {
      // Overdue no longer; of average size, for theirs is forgotten.
      this.#slots.hot[slot * STRIDE + PENDING]! += coming - this.#coming[slot]!;
      this.#coming[slot] = coming;
    } else this.#lessComing(slot, this.#coming[slot]! - coming);
  }

  /**
   * The gateway accepted `accepted` of our tickets: the oldest first of those not overdue, then overdue ones.
   * Returns how many were in flight of either kind.
   */
  confirm(slot: number, accepted: number): { coming: number; overdue: number } {
    if (!(this.count(slot) > 0 && accepted > 0)) return { coming: 0, overdue: 0 };
    const after = this.#overdueAfter[slot]!;
    const coming = this.#take(slot, after - 1, 0, accepted);
    const overdue = this.#take(slot, BUCKETS - 1, after, accepted - coming);
    this.#counts[slot] = Math.max(0, this.#counts[slot]! - coming - overdue);
    this.#lessComing(slot, coming);
    return { coming, overdue };
  }

  /** The gateway restarted or was forgotten: whatever was on its way to it is gone. */
  drop(slot: number): void {
    if (slot >= this.#counts.length) return;
    this.#buckets.fill(0, slot * BUCKETS, (slot + 1) * BUCKETS);
    this.#counts[slot] = 0;
    this.#lessComing(slot, this.#coming[slot]!);
  }

  /** Moves on to the bucket of `nowMs` and reports, per slot, the tickets that became overdue or ran out. */
  roll(
    nowMs: number,
    overdue: (slot: number, count: number) => void,
    expired: (slot: number, count: number) => void,
  ): void {
    const target = Math.floor(nowMs / BUCKET_MS);
    if (this.#rolledTo === undefined || target < this.#rolledTo) this.#rolledTo = target;
    const steps = Math.min(BUCKETS, target - this.#rolledTo);
    this.#rolledTo = target;
    for (let step = 0; step < steps; step++) {
      this.#bucketNow = (this.#bucketNow + 1) % BUCKETS;
      for (let slot = 0; slot < this.#counts.length; slot++) {
        if (this.#counts[slot] === 0) continue;
        const due = this.#buckets[this.#bucket(slot, this.#overdueAfter[slot]!)]!;
        if (due > 0) {
          this.#lessComing(slot, due);
          overdue(slot, due);
        }
        const bucket = slot * BUCKETS + this.#bucketNow;
        const lost = this.#buckets[bucket]!;
        if (lost === 0) continue;
        this.#buckets[bucket] = 0;
        this.#counts[slot] = Math.max(0, this.#counts[slot]! - lost);
        expired(slot, lost);
      }
    }
  }

  /** The slot ticket `seq` is for; -1 when unknown or too old. */
  slotOf(seq: number): number {
    const oldest = Math.max(this.#firstSeq, this.#nextSeq - REMEMBERED);
    if (!(seq >= oldest && seq < this.#nextSeq)) return -1;
    return this.#slotOfRun[runOf(seq)]!;
  }

  /** The same, once: -1 also when already used. */
  takeFailed(seq: number): number {
    const slot = this.slotOf(seq);
    if (slot < 0) return -1;
    const run = runOf(seq);
    const bit = 1 << (seq % TICKET_RUN);
    if ((this.#failedOfRun[run]! & bit) !== 0) return -1;
    this.#failedOfRun[run]! |= bit;
    return slot;
  }

  /** Place of the bucket that is `age` buckets old. */
  #bucket(slot: number, age: number): number {
    return slot * BUCKETS + ((this.#bucketNow - age + BUCKETS) % BUCKETS);
  }

  /** Takes up to `count` tickets out of the buckets from `oldest` to `youngest`; returns how many. */
  #take(slot: number, oldest: number, youngest: number, count: number): number {
    let left = count;
    for (let age = oldest; age >= youngest && left > 0; age--) {
      const bucket = this.#bucket(slot, age);
      const taken = Math.min(left, this.#buckets[bucket]!);
      this.#buckets[bucket]! -= taken;
      left -= taken;
    }
    return count - left;
  }

  /** `count` tickets are not to come any more; of the summed sizes the same share: whose is not known. */
  #lessComing(slot: number, count: number): void {
    const before = this.#coming[slot]!;
    const after = Math.max(0, before - count);
    this.#coming[slot] = after;
    const at = slot * STRIDE + PENDING;
    this.#slots.hot[at] = after === 0 ? 0 : this.#slots.hot[at]! * (after / before);
  }

  #grow(slot: number): void {
    let size = this.#counts.length;
    while (size <= slot) size *= 2;
    const grown = <T extends Float64Array | Uint8Array>(larger: T, old: T): T => {
      larger.set(old);
      return larger;
    };
    this.#counts = grown(new Float64Array(size), this.#counts);
    this.#coming = grown(new Float64Array(size), this.#coming);
    this.#nextOfSlot = grown(new Float64Array(size), this.#nextOfSlot);
    this.#leftOfSlot = grown(new Uint8Array(size), this.#leftOfSlot);
    this.#buckets = grown(new Float64Array(size * BUCKETS), this.#buckets);
    this.#overdueAfter = grown(new Uint8Array(size).fill(overdueAfter(500)), this.#overdueAfter);
  }
}

function runOf(seq: number): number {
  return Math.floor(seq / TICKET_RUN) % REMEMBERED_RUNS;
}

/** Buckets after which a ticket for a gateway that reports every `periodMs` is overdue. */
function overdueAfter(periodMs: number): number {
  const ms = CONNECT_MS + REPORT_PERIODS * periodMs;
  return Math.min(BUCKETS - 1, Math.max(1, Math.ceil(ms / BUCKET_MS)));
}

/** Whether a gateway with that period must have reported a ticket before it runs out. */
export function reportsInTime(periodMs: number): boolean {
  return CONNECT_MS + REPORT_PERIODS * periodMs <= PENDING_MS;
}
