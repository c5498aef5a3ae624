// One broker as the outbox sees it: what waits for it, what is on its way to it, and what it acked lately and would
// take with it if it died.

import type { BatchAck, Publication, PublishBatch, RefusalReason } from '../../protocol/publication.ts';
import { frameBytesOf, PUBLICATION_LIMITS } from '../../protocol/publication.ts';

export type PublishOutcome = 'acked' | 'timeout' | 'closed' | RefusalReason;

export interface OutboxMessage extends Publication {
  /** When to give up, on the monotonic clock. */
  deadlineMs: number;
  /** Called once. A message that was acked and is sent again is not settled again. */
  settle: (outcome: PublishOutcome, wasSent: boolean) => void;
}

/** A message and its way through the outbox. */
export interface Entry {
  message: OutboxMessage;
  /** Place in the order of publishing, whoever the source is. */
  order: number;
  bucket: number;
  settled: boolean;
  /** A broker may have it. */
  sent: boolean;
  ackedMs: number;
}

export interface RetainLimits {
  /** Acked messages kept for a broker's crash, their bytes, and for how long. */
  maxRetained: number;
  maxRetainedBytes: number;
  retainMs: number;
  /** A broker that has not acked a batch by then is taken for dead. */
  ackTimeoutMs: number;
}

/** The heartbeat of a socket, 500 ms and 1,500 ms, shows a dead peer by then. */
const HEARTBEAT_SHOWS_MS = 2_000;
/** A turn of the clock that looks, on a busy machine. */
const LATE_MS = 500;

export const MAX_BATCH_MESSAGES = 256;

/** What a message counts beside its JSON. */
const ENTRY_BYTES = 200;

export type LaneState = 'connecting' | 'up' | 'leaving' | 'down';

export class OutboxLane {
  state: LaneState = 'connecting';
  sinceMs: number;
  /** Not sent yet. */
  queue: Entry[] = [];
  readonly #inFlight = new Map<number, { entries: Entry[]; sentMs: number }>();
  #retained: Entry[] = [];

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  enter(state: LaneState, nowMs: number): void {
    this.state = state;
    this.sinceMs = nowMs;
  }

  get batchesInFlight(): number {
    return this.#inFlight.size;
  }

  /** When the oldest unacked batch was sent; Infinity without one. */
  oldestSentMs(): number {
    const [oldest] = this.#inFlight.values();
    return oldest?.sentMs ?? Infinity;
  }

  /** Sends the head of the queue as batch number `batch`; a message alone is far below the size of a frame. */
  takeBatch(batch: number, nowMs: number): PublishBatch {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.queue) {
      bytes += frameBytesOf(message);
      if (count === MAX_BATCH_MESSAGES || bytes > PUBLICATION_LIMITS.targetFrameBytes) break;
      count += 1;
    }
    const entries = this.queue.splice(0, count);
    for (const entry of entries) entry.sent = true;
    this.#inFlight.set(batch, { entries, sentMs: nowMs });
    return { batch, messages: entries.map(({ message }) => message) };
  }

  /** The entries of the batch that an ack answers; undefined for one that is not under way. */
  takeAnswered({ batch }: BatchAck): Entry[] | undefined {
    const found = this.#inFlight.get(batch);
    this.#inFlight.delete(batch);
    return found?.entries;
  }

  /** The broker has it. */
  retain(entry: Entry, nowMs: number): void {
    entry.ackedMs = nowMs;
    this.#retained.push(entry);
  }

  /**
   * Lets go of what the broker has had for long enough, counted back from its last ack: when it died silently nobody
   * knows before the heartbeat or the next ack is overdue, and what it acked last must outlast that.
   */
  trim(limits: RetainLimits, nowMs: number): void {
    const noticedMs = Math.max(HEARTBEAT_SHOWS_MS, limits.ackTimeoutMs) + LATE_MS;
    const aliveMs = Math.max(this.#retained.at(-1)?.ackedMs ?? 0, nowMs - noticedMs);
    const first = this.#retained.findIndex(({ ackedMs }) => aliveMs - ackedMs <= limits.retainMs);
    this.#retained = newest(first < 0 ? [] : this.#retained.slice(first), limits);
  }

  /** Takes what the broker acked lately, as it may have died with it. */
  takeRetained(limits: RetainLimits, nowMs: number): Entry[] {
    this.trim(limits, nowMs);
    return this.#retained.splice(0);
  }

  /** Takes all that the broker has not acked: what it was sent and what waits. */
  takeUnacked(): { sent: Entry[]; waiting: Entry[] } {
    const sent = [...this.#inFlight.values()].flatMap(({ entries }) => entries);
    this.#inFlight.clear();
    return { sent, waiting: this.queue.splice(0) };
  }
}

/** Memory a message takes. */
export function bytesOf({ data }: Publication): number {
  return data.length + ENTRY_BYTES;
}

/** The newest entries that fit the limits. */
export function newest(entries: Entry[], { maxRetained, maxRetainedBytes }: RetainLimits): Entry[] {
  let first = entries.length;
  let bytes = 0;
  while (first > 0 && entries.length - first < maxRetained) {
    bytes += bytesOf(entries[first - 1]!.message);
    if (bytes > maxRetainedBytes) break;
    first -= 1;
  }
  return first === 0 ? entries : entries.slice(first);
}
