// What a publisher owes: every message from publish() until a broker acked it, and a little longer, so that
// what a crashed broker acked and did not forward can be sent again. Decides which broker gets what; the
// sockets are elsewhere.
//
// Order: messages of one bucket are at one broker at a time. When the owner changes, new ones are held until
// the old owner acked the rest.

import { BUCKET_COUNT, bucketOf } from '../../protocol/bucket.ts';
import { rankAllBuckets } from '../../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { BatchAck, PublishBatch } from '../../protocol/publication.ts';
import { MESSAGE_FLAG, PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import type { Entry, OutboxMessage, PublishOutcome, RetainLimits } from './outbox-lane.ts';
import { bytesOf, MAX_BATCH_MESSAGES, newest, OutboxLane } from './outbox-lane.ts';

export interface OutboxLimits extends RetainLimits {
  /** Messages not yet acked, and their bytes; more are refused by `add`. */
  maxQueued: number;
  maxQueuedBytes: number;
  /** How long what a dead broker had acked waits for any broker to take it. */
  resendMs: number;
  batchesInFlight: number;
  /** How long a broker may take to connect before the next in rank gets its messages. */
  connectGraceMs: number;
}

export const DEFAULT_OUTBOX_LIMITS: OutboxLimits = {
  maxQueued: 16_384,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxRetained: 32_768,
  maxRetainedBytes: 64 * 1024 * 1024,
  retainMs: 2_000,
  resendMs: 120_000,
  batchesInFlight: 8,
  ackTimeoutMs: 2_000,
  connectGraceMs: 1_000,
};

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #lanes = new Map<string, OutboxLane>();
  #ranks: string[][] = rankAllBuckets([]);
  /** Which broker has a bucket's unacked messages, and how many. */
  readonly #home = new Array<string | undefined>(BUCKET_COUNT);
  readonly #outstanding = new Uint32Array(BUCKET_COUNT);
  /** Waits for the old owner's acks, or for any broker at all. */
  #held: Entry[] = [];
  #nextBatch = 1;
  #nextOrder = 0;
  #open = 0;
  #openBytes = 0;
  #resending = 0;
  #resent = 0;
  #forgotten = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** Messages that are not settled. */
  get open(): number {
    return this.#open;
  }

  /** Messages that a broker which died since had acked, and that no other has taken yet. */
  get resending(): number {
    return this.#resending;
  }

  get resent(): number {
    return this.#resent;
  }

  /** Acked messages that were to be sent again and were given up: they may be lost. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** False when the queue is full. */
  add(message: OutboxMessage): boolean {
    const bytes = bytesOf(message);
    if (this.#open >= this.#limits.maxQueued) return false;
    if (this.#openBytes + bytes > this.#limits.maxQueuedBytes) return false;
    this.#open += 1;
    this.#openBytes += bytes;
    const bucket = bucketOf(message.topic);
    this.#place({ message, order: this.#nextOrder++, bucket, settled: false, sent: false, ackedMs: 0 });
    return true;
  }

  /** The brokers there are. Those that are gone lose their messages to the others. */
  setBrokers(brokers: readonly BrokerAddress[], nowMs: number): void {
    this.#ranks = rankAllBuckets(brokers);
    const known = new Set(brokers.map(({ id }) => id));
    for (const { id } of brokers) if (!this.#lanes.has(id)) this.#lanes.set(id, new OutboxLane(nowMs));
    for (const id of [...this.#lanes.keys()]) {
      if (known.has(id)) continue;
      this.laneDown(id, nowMs);
      this.#lanes.delete(id);
    }
    this.#placeHeld();
  }

  laneUp(id: string, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (!lane) return;
    lane.enter('up', nowMs);
    this.#placeHeld();
  }

  /** The connection is gone: what it had not acked goes elsewhere, and what it acked lately once more. */
  laneDown(id: string, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (!lane) return;
    const retained = lane.takeRetained(this.#limits, nowMs);
    // A broker that said it was leaving has forwarded all it acked.
    const lost = lane.state === 'leaving' ? [] : retained;
    lane.enter('down', nowMs);
    this.#resent += lost.length;
    this.#resending += lost.length;
    for (const { bucket } of lost) this.#outstanding[bucket]! += 1;
    const { sent, waiting } = lane.takeUnacked();
    for (const { message } of [...lost, ...sent]) message.flags |= MESSAGE_FLAG.resent;
    for (const { message } of lost) message.flags |= MESSAGE_FLAG.acked;
    this.#hold([...lost, ...sent, ...waiting]);
  }

  /** The broker drains: no new messages for it; those in flight are acked or come back. */
  laneLeaving(id: string, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (lane?.state !== 'up' && lane?.state !== 'connecting') return;
    lane.enter('leaving', nowMs);
    this.#hold(lane.queue.splice(0));
  }

  /** The next batch to send to a broker, or undefined when there is nothing to send now. */
  takeBatch(id: string, nowMs: number): PublishBatch | undefined {
    const lane = this.#lanes.get(id);
    if (lane?.state !== 'up' || lane.queue.length === 0) return undefined;
    if (lane.batchesInFlight >= this.#limits.batchesInFlight) return undefined;
    return lane.takeBatch(this.#nextBatch++, nowMs);
  }

  /** Whether a broker has batches in flight: then small ones wait and grow. */
  isBusy(id: string): boolean {
    const lane = this.#lanes.get(id);
    return lane !== undefined && lane.batchesInFlight > 0 && lane.queue.length < MAX_BATCH_MESSAGES;
  }

  acked(id: string, ack: BatchAck, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (!lane) return;
    if (ack.status === 'draining') this.laneLeaving(id, nowMs);
    const entries = lane.takeAnswered(ack);
    if (!entries) return;
    if (ack.status === 'draining') {
      this.#hold(entries);
      return;
    }
    this.#release(entries);
    const refused = new Map(ack.refused.map(({ index, reason }) => [index, reason]));
    entries.forEach((entry, index) => {
      const reason = refused.get(index);
      if (reason === undefined) lane.retain(entry, nowMs);
      this.#settle(entry, reason ?? 'acked');
    });
    this.#placeHeld();
  }

  /** Clocks: gives up on what is overdue. Returns the brokers that stopped answering; close their sockets. */
  tick(nowMs: number): string[] {
    const silent: string[] = [];
    for (const [id, lane] of this.#lanes) {
      lane.trim(this.#limits, nowMs);
      if (nowMs - lane.oldestSentMs() > this.#limits.ackTimeoutMs) silent.push(id);
      if (lane.state === 'connecting' && nowMs - lane.sinceMs > this.#limits.connectGraceMs) {
        this.laneDown(id, nowMs);
      }
      lane.queue = this.#withoutOverdue(lane.queue, nowMs, true);
    }
    for (const id of silent) this.laneDown(id, nowMs);
    this.#held = this.#withinLimits(this.#withoutOverdue(this.#held, nowMs, false));
    this.#placeHeld();
    return silent;
  }

  /** Gives up on everything. */
  abandon(): void {
    const lanes = [...this.#lanes.values()].map((lane) => lane.takeUnacked());
    const all = [...this.#held, ...lanes.flatMap(({ sent, waiting }) => [...sent, ...waiting])];
    for (const entry of all) this.#giveUp(entry, 'closed');
    this.#held = [];
    this.#lanes.clear();
  }

  /** Ids of brokers with something to send. */
  ready(): string[] {
    return [...this.#lanes].flatMap(([id, { state, queue }]) =>
      state === 'up' && queue.length > 0 ? [id] : [],
    );
  }

  #place(entry: Entry): void {
    const target = this.#targetOf(entry.bucket);
    const lane = target === undefined ? undefined : this.#lanes.get(target);
    if (!lane) {
      this.#held.push(entry);
      return;
    }
    this.#home[entry.bucket] = target;
    this.#outstanding[entry.bucket]! += 1;
    lane.queue.push(entry);
  }

  /** The broker for a bucket now; undefined = wait. */
  #targetOf(bucket: number): string | undefined {
    const wanted = this.#ranks[bucket]!.find((id) => {
      const state = this.#lanes.get(id)?.state;
      return state === 'up' || state === 'connecting';
    });
    if (this.#outstanding[bucket] === 0) return wanted;
    return this.#home[bucket] === wanted ? wanted : undefined;
  }

  /** Takes entries back from a broker and places them anew, in the order of publishing. */
  #hold(entries: Entry[]): void {
    this.#release(entries);
    this.#held = [...entries, ...this.#held].sort((a, b) => a.order - b.order);
    this.#placeHeld();
  }

  #placeHeld(): void {
    const waiting = this.#held;
    if (waiting.length === 0) return;
    this.#held = [];
    for (const entry of waiting) this.#place(entry);
  }

  #release(entries: readonly Entry[]): void {
    for (const { bucket } of entries) this.#outstanding[bucket]! -= 1;
  }

  #settle(entry: Entry, outcome: PublishOutcome): void {
    if (entry.settled) {
      this.#resending -= 1;
      return;
    }
    entry.settled = true;
    const { message } = entry;
    this.#open -= 1;
    this.#openBytes -= bytesOf(message);
    message.settle(outcome, entry.sent);
    // A message that is retained must not keep alive all that waited for its outcome.
    message.settle = settledBefore;
  }

  #giveUp(entry: Entry, outcome: 'timeout' | 'closed'): void {
    if (entry.settled) this.#forgotten += 1;
    this.#settle(entry, outcome);
  }

  /** Once acked, a message may wait longer: nobody is left who waits for its outcome, or would send it again. */
  #isOverdue({ settled, ackedMs, message }: Entry, nowMs: number): boolean {
    return (settled ? ackedMs + this.#limits.resendMs : message.deadlineMs) <= nowMs;
  }

  #withoutOverdue(entries: Entry[], nowMs: number, outstanding: boolean): Entry[] {
    if (!entries.some((entry) => this.#isOverdue(entry, nowMs))) return entries;
    const [overdue, kept] = [[] as Entry[], [] as Entry[]];
    for (const entry of entries) (this.#isOverdue(entry, nowMs) ? overdue : kept).push(entry);
    if (outstanding) this.#release(overdue);
    for (const entry of overdue) this.#giveUp(entry, 'timeout');
    return kept;
  }

  /** What dead brokers had acked counts together, and may not be so old that no window knows it any more. */
  #withinLimits(held: Entry[]): Entry[] {
    if (this.#resending === 0) return held;
    const oldest = this.#nextOrder - PUBLICATION_LIMITS.maxSequenceSpread;
    const acked = held.filter(({ settled }) => settled);
    const kept = new Set(newest(acked, this.#limits).filter(({ order }) => order >= oldest));
    if (kept.size === acked.length) return held;
    for (const entry of acked) if (!kept.has(entry)) this.#giveUp(entry, 'timeout');
    return held.filter((entry) => !entry.settled || kept.has(entry));
  }
}

function settledBefore(): void {}
