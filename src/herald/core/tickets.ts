// Tickets in flight: issued here, not yet seen in the gateway's counters. Kept per gateway in buckets of
// 200 ms over 10 s, so that issue, confirm and expire are O(1) and the count can neither go negative nor
// grow past what was issued in 10 s. Also remembers who each recent ticket was for.

import type { GatewaySlots } from './gateway-slots.ts';
import { PENDING, STRIDE } from './gateway-slots.ts';

const BUCKET_MS = 200;
const BUCKETS = 50;
/** A ticket not confirmed by then will not be: its connection failed or was never tried. */
export const PENDING_MS = BUCKET_MS * BUCKETS;
/** A client's word on its size counts up to this many average connections. */
const MAX_SIZE = 100;
/** Tickets whose gateway is remembered, for clients that come back and say which pick failed. */
const REMEMBERED = 65_536;

export class TicketsInFlight {
  readonly #slots: GatewaySlots;
  #buckets = new Float64Array(64 * BUCKETS);
  /** Tickets in all buckets of a slot. */
  #counts = new Float64Array(64);
  #bucketNow = 0;
  #nextSeq: number;
  /** Slot a ticket was issued for; -1 once its failure was counted. */
  readonly #slotOfSeq = new Int32Array(REMEMBERED).fill(-1);
  readonly #firstSeq: number;

  constructor(slots: GatewaySlots, firstSeq: number) {
    this.#slots = slots;
    this.#nextSeq = firstSeq;
    this.#firstSeq = firstSeq;
  }

  /** A ticket number for an alternate: remembered, not counted as on its way. */
  number(slot: number): number {
    const seq = this.#nextSeq++;
    this.#slotOfSeq[seq % REMEMBERED] = slot;
    return seq;
  }

  issue(slot: number, size: number): number {
    if (slot >= this.#counts.length) this.#grow(slot);
    this.#buckets[slot * BUCKETS + this.#bucketNow]! += 1;
    this.#counts[slot]! += 1;
    this.#slots.hot[slot * STRIDE + PENDING]! += Math.min(size, MAX_SIZE);
    return this.number(slot);
  }

  count(slot: number): number {
    return this.#counts[slot] ?? 0;
  }

  /** The gateway accepted `accepted` of our tickets, the oldest first. Returns how many were still in flight. */
  confirm(slot: number, accepted: number): number {
    const inFlight = this.count(slot);
    const known = Math.min(inFlight, accepted);
    if (!(known > 0)) return 0;
    let left = known;
    for (let i = 1; i <= BUCKETS && left > 0; i++) {
      const bucket = slot * BUCKETS + ((this.#bucketNow + i) % BUCKETS);
      const taken = Math.min(left, this.#buckets[bucket]!);
      this.#buckets[bucket]! -= taken;
      left -= taken;
    }
    this.#remove(slot, known);
    return known;
  }

  /** The gateway restarted or was forgotten: whatever was on its way to it is gone. */
  drop(slot: number): void {
    if (slot >= this.#counts.length) return;
    this.#buckets.fill(0, slot * BUCKETS, (slot + 1) * BUCKETS);
    this.#remove(slot, this.#counts[slot]!);
  }

  /** Moves on to the bucket of `nowMs` and reports, per slot, the tickets that ran out. */
  roll(nowMs: number, expired: (slot: number, count: number) => void): void {
    const target = Math.floor(nowMs / BUCKET_MS);
    if (this.#rolledTo === undefined || target < this.#rolledTo) this.#rolledTo = target;
    const steps = Math.min(BUCKETS, target - this.#rolledTo);
    this.#rolledTo = target;
    for (let step = 0; step < steps; step++) {
      this.#bucketNow = (this.#bucketNow + 1) % BUCKETS;
      for (let slot = 0; slot < this.#counts.length; slot++) {
        if (this.#counts[slot] === 0) continue;
        const bucket = slot * BUCKETS + this.#bucketNow;
        const lost = this.#buckets[bucket]!;
        if (lost === 0) continue;
        this.#buckets[bucket] = 0;
        this.#remove(slot, lost);
        expired(slot, lost);
      }
    }
  }

  #rolledTo: number | undefined;

  /** The slot ticket `seq` was issued for, once; -1 when unknown, too old or already used. */
  takeFailed(seq: number): number {
    const oldest = Math.max(this.#firstSeq, this.#nextSeq - REMEMBERED);
    if (!(seq >= oldest && seq < this.#nextSeq)) return -1;
    const slot = this.#slotOfSeq[seq % REMEMBERED]!;
    this.#slotOfSeq[seq % REMEMBERED] = -1;
    return slot;
  }

  /** Takes `count` off, and of the summed sizes the same share: which of them arrived is not known. */
  #remove(slot: number, count: number): void {
    const before = this.#counts[slot]!;
    const after = Math.max(0, before - count);
    this.#counts[slot] = after;
    const at = slot * STRIDE + PENDING;
    this.#slots.hot[at] = after === 0 ? 0 : this.#slots.hot[at]! * (after / before);
  }

  #grow(slot: number): void {
    let size = this.#counts.length;
    while (size <= slot) size *= 2;
    const counts = new Float64Array(size);
    counts.set(this.#counts);
    this.#counts = counts;
    const buckets = new Float64Array(size * BUCKETS);
    buckets.set(this.#buckets);
    this.#buckets = buckets;
  }
}
