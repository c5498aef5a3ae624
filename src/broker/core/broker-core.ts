// The broker without its sockets: takes batches, numbers and keeps the messages, hands out what is to be
// forwarded, answers repair requests. One owner of all its state; time comes in.

import type { BucketSet } from '../../protocol/bucket.ts';
import { BUCKET_COUNT, bucketOf } from '../../protocol/bucket.ts';
import type {
  BatchAck,
  Publication,
  PublishBatch,
  RefusalReason,
  Source,
} from '../../protocol/publication.ts';
import { MESSAGE_FLAG } from '../../protocol/publication.ts';
import type { BucketHead, SequencedMessage } from '../../protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { SenderWindows, SequenceWindow } from '../../protocol/sequence-window.ts';
import { answerRepair, headsOf } from './answer-repair.ts';
import { isJson } from './json-check.ts';
import type { BucketStand } from './journal-records.ts';
import type { LedgerSnapshot } from './ledger.ts';
import { Ledger } from './ledger.ts';
import type { OutgoingSection } from './pending-sections.ts';
import { PendingSections } from './pending-sections.ts';
import type { RingLimits } from './rings.ts';
import { Rings } from './rings.ts';
import { Standby } from './standby.ts';

export interface BrokerCoreLimits extends RingLimits {
  topics: number;
  /** Publishers whose duplicates are known. */
  publishers: number;
  /** Bridges a message may have crossed. */
  maxHop: number;
  /** Kept of other brokers' streams, and for how long; enough for a gateway that was frozen when one died. */
  standbyBytes: number;
  standbyAgeMs: number;
}

export const DEFAULT_BROKER_LIMITS: BrokerCoreLimits = {
  ringBytes: 256 * 1024 * 1024,
  ringBytesPerBucket: 32 * 1024 * 1024,
  ringMessagesPerBucket: 32_768,
  ringAgeMs: 120_000,
  topics: 1_000_000,
  publishers: 16_384,
  maxHop: 1,
  standbyBytes: 64 * 1024 * 1024,
  standbyAgeMs: 30_000,
};

/**
 * A copy may come so much later than its message was sent: through repair, or as this broker was frozen. Who resumes
 * after that message gets what this broker carried meanwhile, twice rather than not at all.
 */
const MAX_DELAY_MS = 10_000;

interface Sender {
  source: Source;
  seen: SequenceWindow;
}

export class BrokerCore {
  readonly epoch: string;
  readonly #cluster: string;
  readonly #startedMs: number;
  readonly #maxHop: number;
  readonly #rings: Rings;
  readonly #senders: SenderWindows<Sender>;
  readonly #ledger = new Ledger();
  readonly #standby: Standby;
  readonly #pending = new PendingSections();
  #repaired = 0;

  constructor(epoch: string, cluster: string, startedMs: number, limits: BrokerCoreLimits) {
    this.#startedMs = startedMs;
    this.epoch = epoch;
    this.#cluster = cluster;
    this.#maxHop = limits.maxHop;
    const topicsPerBucket = Math.max(16, Math.ceil((limits.topics * 2) / BUCKET_COUNT));
    this.#rings = new Rings(limits, topicsPerBucket);
    this.#standby = new Standby({
      bytes: limits.standbyBytes,
      messageAgeMs: limits.standbyAgeMs,
      epochAgeMs: limits.ringAgeMs,
      topicsPerBucket,
    });
    this.#senders = new SenderWindows(limits.publishers, (publisher) => ({
      source: { publisher, origin: cluster, hop: 0 },
      seen: new SequenceWindow(),
    }));
  }

  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  /** Takes a batch: numbers its messages in order, names the duplicates as taken and the bad ones as refused. */
  accept({ batch, messages }: PublishBatch, nowMs: number): BatchAck {
    const refused: BatchAck['refused'] = [];
    messages.forEach((message, index) => {
      const reason = this.#take(message, nowMs);
      if (reason) {
        refused.push({ index, reason });
        this.#ledger.refuse(reason);
      }
    });
    return { batch, status: 'taken', refused };
  }

  /** Answers a batch without taking it: the broker is on its way out. */
  turnAway({ batch, messages }: PublishBatch): BatchAck {
    this.#ledger.drain(messages.length);
    return { batch, status: 'draining', refused: [] };
  }

  /** A frame that could not be decoded; nobody knows how many messages it held. */
  noteBadFrame(): void {
    this.#ledger.refuse('bad-frame');
  }

  /** The broker's own probe, forwarded like any message and counted apart. */
  acceptCanary(topic: string, data: Uint8Array, sequence: number, nowMs: number, epochMs: number): void {
    const source = { publisher: `canary-${this.epoch}`, origin: this.#cluster, hop: 0 };
    this.#ledger.canary();
    this.#append(
      { topic, data, source, sequence, flags: MESSAGE_FLAG.canary, publishedAtMs: Math.round(epochMs) },
      nowMs,
    );
  }

  /** Another broker's messages, as they were sent to gateways. */
  keep(
    epoch: string,
    bucket: number,
    firstSequence: number,
    messages: readonly SequencedMessage[],
    nowMs: number,
  ): void {
    const own = this.#rings.logs[bucket]!;
    const sentMs = nowMs - MAX_DELAY_MS;
    const ownOffset = (topic: string): number => own.offsetBefore(topic, sentMs);
    this.#standby.keep(epoch, bucket, firstSequence, messages, ownOffset, nowMs);
  }

  /** How far a bucket of another epoch got, also where its messages are not here. */
  keepStand(epoch: string, stand: BucketStand, nowMs: number): void {
    this.#standby.reach(epoch, stand, nowMs);
  }

  /** Where a bucket of this epoch stands. */
  stand(bucket: number): BucketStand {
    return this.#rings.logs[bucket]!.stand;
  }

  /** Messages of another broker that did not get here either. */
  noteMissed(epoch: string, bucket: number, count: number, nowMs: number): void {
    this.#standby.missed(epoch, bucket, count, nowMs);
  }

  /** Another broker's epoch may have gone on after what came here of it. */
  noteCut(epoch: string): void {
    this.#standby.noteCut(epoch);
  }

  /** What came since the last call, a section a bucket (more for a busy one), in order. */
  takeSections(): OutgoingSection[] {
    return this.#pending.take();
  }

  heads(): BucketHead[] {
    return headsOf(this.#rings.logs);
  }

  /** `interest` is what all subscribers want together. */
  answer(request: RepairRequest, interest: BucketSet, nowMs: number): RepairReply {
    const reply = answerRepair(request, {
      epoch: this.epoch,
      logs: this.#rings.logs,
      standby: this.#standby,
      upMs: nowMs - this.#startedMs,
      interest,
    });
    if (reply.kind === 'range') this.#repaired += reply.section.messages.length;
    return reply;
  }

  /** Lets go of what is older than the ring's age. Call it each second or so. */
  trim(nowMs: number): void {
    this.#rings.trim(nowMs);
    this.#standby.trim(nowMs);
  }

  snapshot(): BrokerCoreSnapshot {
    return {
      ledger: this.#ledger.snapshot(),
      topics: this.#rings.topics,
      publishers: this.#senders.size,
      ringMessages: this.#rings.messages,
      ringBytes: this.#rings.bytes,
      standbyBytes: this.#standby.bytes,
      repaired: this.#repaired,
      trimmed: this.#rings.trimmed,
    };
  }

  #take(message: Publication, nowMs: number): RefusalReason | undefined {
    const { source } = message;
    // What comes back to the cluster it was first published in has gone round in a circle.
    const returned = source.hop > 0 && source.origin === this.#cluster;
    if (returned || source.hop > this.#maxHop) return 'too-many-hops';
    if (!isJson(message.data)) return 'bad-json';
    const sender = this.#senders.of(source.publisher);
    const sighting = sender.seen.mark(message.sequence);
    if (sighting === 'old') return 'too-old';
    if (sighting === 'seen') {
      this.#ledger.duplicate();
      return undefined;
    }
    const origin = source.origin === '' ? this.#cluster : source.origin;
    if (sender.source.origin !== origin || sender.source.hop !== source.hop) {
      sender.source = { publisher: source.publisher, origin, hop: source.hop };
    }
    message.source = sender.source;
    this.#ledger.forward();
    this.#append(message, nowMs);
    return undefined;
  }

  #append(message: Publication, nowMs: number): void {
    const bucket = bucketOf(message.topic);
    this.#pending.add(bucket, this.#rings.append(bucket, message, nowMs));
  }
}

export interface BrokerCoreSnapshot {
  ledger: LedgerSnapshot;
  topics: number;
  publishers: number;
  ringMessages: number;
  ringBytes: number;
  /** Kept of other brokers' streams. */
  standbyBytes: number;
  /** Messages handed out again through repair. */
  repaired: number;
  /** Messages that left the ring. */
  trimmed: number;
}
