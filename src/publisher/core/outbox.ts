// What a publisher owes: every message from publish() until a broker acked it, and a little longer, so that
// what a crashed broker acked and did not forward can be sent again. Decides which broker gets what; the
// sockets are elsewhere.
//
// Order: messages of one bucket are at one broker at a time. When the owner changes, new ones are held until
// the old owner acked the rest.

import { BUCKET_COUNT, bucketOf } from '../../protocol/bucket.ts';
import { rankAllBuckets } from '../../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../../protocol/load-report.ts';
import type { BatchAck, Publication, PublishBatch, RefusalReason } from '../../protocol/publication.ts';
import { MESSAGE_FLAG, PUBLICATION_LIMITS } from '../../protocol/publication.ts';

export type PublishOutcome = 'acked' | 'timeout' | 'closed' | RefusalReason;

export interface OutboxMessage extends Publication {
  /** When to give up, on the monotonic clock. */
  deadlineMs: number;
  /** Called once. A message that was acked and is sent again is not settled again. */
  settle: (outcome: PublishOutcome) => void;
}

export interface OutboxLimits {
  /** Messages not yet acked; more are refused by `add`. */
  maxQueued: number;
  /** Acked messages kept for a broker's crash, and for how long. */
  maxRetained: number;
  retainMs: number;
  batchesInFlight: number;
  /** A broker that has not acked a batch by then is taken for dead. */
  ackTimeoutMs: number;
  /** How long a broker may take to connect before the next in rank gets its messages. */
  connectGraceMs: number;
}

export const DEFAULT_OUTBOX_LIMITS: OutboxLimits = {
  maxQueued: 16_384,
  maxRetained: 32_768,
  retainMs: 2_000,
  batchesInFlight: 8,
  ackTimeoutMs: 2_000,
  connectGraceMs: 1_000,
};

export const MAX_BATCH_MESSAGES = 256;

interface Entry {
  message: OutboxMessage;
  /** Place in the order of publishing, whoever the source is. */
  order: number;
  bucket: number;
  settled: boolean;
  ackedMs: number;
}

type LaneState = 'connecting' | 'up' | 'leaving' | 'down';

/** One broker as the outbox sees it. */
interface Lane {
  state: LaneState;
  sinceMs: number;
  queue: Entry[];
  inFlight: Map<number, { entries: Entry[]; sentMs: number }>;
  retained: Entry[];
}

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #lanes = new Map<string, Lane>();
  #ranks: string[][] = rankAllBuckets([]);
  /** Which broker has a bucket's unacked messages, and how many. */
  readonly #home = new Array<string | undefined>(BUCKET_COUNT);
  readonly #outstanding = new Uint32Array(BUCKET_COUNT);
  /** Waits for the old owner's acks, or for any broker at all. */
  #held: Entry[] = [];
  #nextBatch = 1;
  #nextOrder = 0;
  #open = 0;
  #resent = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** Messages that are not settled. */
  get open(): number {
    return this.#open;
  }

  get resent(): number {
    return this.#resent;
  }

  /** False when the queue is full. */
  add(message: OutboxMessage): boolean {
    if (this.#open >= this.#limits.maxQueued) return false;
    this.#open += 1;
    const bucket = bucketOf(message.topic);
    this.#place({ message, order: this.#nextOrder++, bucket, settled: false, ackedMs: 0 });
    return true;
  }

  /** The brokers there are. Those that are gone lose their messages to the others. */
  setBrokers(brokers: readonly BrokerAddress[], nowMs: number): void {
    this.#ranks = rankAllBuckets(brokers);
    const known = new Set(brokers.map(({ id }) => id));
    for (const { id } of brokers) {
      if (!this.#lanes.has(id)) {
        this.#lanes.set(id, {
          state: 'connecting',
          sinceMs: nowMs,
          queue: [],
          inFlight: new Map(),
          retained: [],
        });
      }
    }
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
    lane.state = 'up';
    lane.sinceMs = nowMs;
    this.#placeHeld();
  }

  /** The connection is gone: what it had not acked goes elsewhere, and what it acked lately once more. */
  laneDown(id: string, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (!lane) return;
    // A broker that said it was leaving has forwarded all it acked.
    const lost =
      lane.state === 'leaving' ? [] : lane.retained.filter((entry) => !this.#expired(entry, nowMs));
    lane.retained = [];
    lane.state = 'down';
    lane.sinceMs = nowMs;
    this.#resent += lost.length;
    for (const entry of lost) this.#outstanding[entry.bucket]! += 1;
    this.#evacuate(lane, lost);
  }

  /** The broker drains: no new messages for it; those in flight are acked or come back. */
  laneLeaving(id: string, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (lane?.state !== 'up' && lane?.state !== 'connecting') return;
    lane.state = 'leaving';
    lane.sinceMs = nowMs;
    const waiting = lane.queue.splice(0);
    this.#release(waiting);
    this.#held = inOrder([...waiting, ...this.#held]);
    this.#placeHeld();
  }

  /** The next batch to send to a broker, or undefined when there is nothing to send now. */
  takeBatch(id: string, nowMs: number): PublishBatch | undefined {
    const lane = this.#lanes.get(id);
    if (lane?.state !== 'up' || lane.queue.length === 0) return undefined;
    if (lane.inFlight.size >= this.#limits.batchesInFlight) return undefined;
    let bytes = 0;
    let count = 0;
    for (const { message } of lane.queue) {
      bytes += message.data.length + message.topic.length + 16;
      if (count === MAX_BATCH_MESSAGES || (count > 0 && bytes > PUBLICATION_LIMITS.targetFrameBytes)) break;
      count += 1;
    }
    const entries = lane.queue.splice(0, count);
    const batch = this.#nextBatch++;
    lane.inFlight.set(batch, { entries, sentMs: nowMs });
    return { batch, messages: entries.map(({ message }) => message) };
  }

  /** Whether a broker has batches in flight: then small ones wait and grow. */
  isBusy(id: string): boolean {
    const lane = this.#lanes.get(id);
    return lane !== undefined && lane.inFlight.size > 0 && lane.queue.length < MAX_BATCH_MESSAGES;
  }

  acked(id: string, ack: BatchAck, nowMs: number): void {
    const lane = this.#lanes.get(id);
    if (!lane) return;
    if (ack.status === 'draining') this.laneLeaving(id, nowMs);
    const found = lane.inFlight.get(ack.batch);
    if (!found) return;
    lane.inFlight.delete(ack.batch);
    this.#release(found.entries);
    if (ack.status === 'draining') {
      this.#held = inOrder([...found.entries, ...this.#held]);
    } else {
      const refused = new Map(ack.refused.map(({ index, reason }) => [index, reason]));
      found.entries.forEach((entry, index) => {
        const reason = refused.get(index);
        entry.ackedMs = nowMs;
        if (reason === undefined) lane.retained.push(entry);
        this.#settle(entry, reason ?? 'acked');
      });
    }
    this.#placeHeld();
  }

  /** Clocks: gives up on what is overdue. Returns the brokers that stopped answering; close their sockets. */
  tick(nowMs: number): string[] {
    const silent: string[] = [];
    for (const [id, lane] of this.#lanes) {
      lane.retained = this.#stillRetained(lane.retained, nowMs);
      const [oldest] = lane.inFlight.values();
      if (oldest && nowMs - oldest.sentMs > this.#limits.ackTimeoutMs) silent.push(id);
      if (lane.state === 'connecting' && nowMs - lane.sinceMs > this.#limits.connectGraceMs) {
        this.laneDown(id, nowMs);
      }
      lane.queue = this.#withoutOverdue(lane.queue, nowMs, true);
    }
    for (const id of silent) this.laneDown(id, nowMs);
    this.#held = this.#withoutOverdue(this.#held, nowMs, false);
    this.#placeHeld();
    return silent;
  }

  /** Gives up on everything. */
  abandon(): void {
    const all = [
      ...this.#held,
      ...[...this.#lanes.values()].flatMap(({ queue, inFlight }) => [
        ...queue,
        ...[...inFlight.values()].flatMap(({ entries }) => entries),
      ]),
    ];
    for (const entry of all) this.#settle(entry, 'closed');
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

  #placeHeld(): void {
    const waiting = this.#held;
    if (waiting.length === 0) return;
    this.#held = [];
    for (const entry of waiting) this.#place(entry);
  }

  /** Takes everything from a lane and places it anew, `extra` with it, in the order of publishing. */
  #evacuate(lane: Lane, extra: Entry[]): void {
    const entries = [...lane.inFlight.values()].flatMap((batch) => batch.entries);
    for (const { message } of [...extra, ...entries]) message.flags |= MESSAGE_FLAG.resent;
    for (const { message } of extra) message.flags |= MESSAGE_FLAG.acked;
    const moved = inOrder([...extra, ...entries, ...lane.queue]);
    lane.inFlight.clear();
    lane.queue = [];
    this.#release(moved);
    this.#held = inOrder([...moved, ...this.#held]);
    this.#placeHeld();
  }

  #release(entries: readonly Entry[]): void {
    for (const { bucket } of entries) this.#outstanding[bucket]! -= 1;
  }

  #settle(entry: Entry, outcome: PublishOutcome): void {
    if (entry.settled) return;
    entry.settled = true;
    this.#open -= 1;
    entry.message.settle(outcome);
  }

  #expired(entry: Entry, nowMs: number): boolean {
    return nowMs - entry.ackedMs > this.#limits.retainMs;
  }

  #stillRetained(retained: Entry[], nowMs: number): Entry[] {
    const first = retained.findIndex((entry) => !this.#expired(entry, nowMs));
    const kept = first < 0 ? [] : retained.slice(first);
    return kept.length > this.#limits.maxRetained ? kept.slice(-this.#limits.maxRetained) : kept;
  }

  #withoutOverdue(entries: Entry[], nowMs: number, outstanding: boolean): Entry[] {
    if (!entries.some(({ message }) => message.deadlineMs <= nowMs)) return entries;
    const [overdue, kept] = [[] as Entry[], [] as Entry[]];
    for (const entry of entries) (entry.message.deadlineMs <= nowMs ? overdue : kept).push(entry);
    if (outstanding) this.#release(overdue);
    for (const entry of overdue) this.#settle(entry, 'timeout');
    return kept;
  }
}

function inOrder(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => a.order - b.order);
}
