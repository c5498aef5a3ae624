// The broker without its sockets: takes batches, numbers and keeps the messages, hands out what is to be
// forwarded, answers repair requests. One owner of all its state; time comes in.

import type { BucketSet } from '../../protocol/bucket.ts';
import { BUCKET_COUNT, bucketOf } from '../../protocol/bucket.ts';
import { ByteWriter } from '../../protocol/bytes.ts';
import type {
  BatchAck,
  Publication,
  PublishBatch,
  RefusalReason,
  Source,
} from '../../protocol/publication.ts';
import { MESSAGE_FLAG, PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import type { BucketHead } from '../../protocol/publication-envelope.ts';
import { encodeSection } from '../../protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { MAX_RANGE, REPAIR_LIMITS } from '../../protocol/publication-repair.ts';
import { SenderWindows, SequenceWindow } from '../../protocol/sequence-window.ts';
import type { LoggedMessage } from './bucket-log.ts';
import { BucketLog } from './bucket-log.ts';
import { isJson } from './json-check.ts';
import type { LedgerSnapshot } from './ledger.ts';
import { Ledger } from './ledger.ts';

export interface BrokerCoreLimits {
  /** Held for repair and resume in all buckets together, and in one bucket at most. */
  ringBytes: number;
  ringBytesPerBucket: number;
  ringMessagesPerBucket: number;
  /** Older messages go, whatever room there is: the longest resume is 2 minutes. */
  ringAgeMs: number;
  topics: number;
  /** Publishers whose duplicates are known. */
  publishers: number;
  /** Bridges a message may have crossed. */
  maxHop: number;
}

export const DEFAULT_BROKER_LIMITS: BrokerCoreLimits = {
  ringBytes: 256 * 1024 * 1024,
  ringBytesPerBucket: 32 * 1024 * 1024,
  ringMessagesPerBucket: 32_768,
  ringAgeMs: 120_000,
  topics: 1_000_000,
  publishers: 16_384,
  maxHop: 1,
};

/** Messages of one bucket, encoded once for every lane. */
export interface OutgoingSection {
  bucket: number;
  bytes: Uint8Array;
  messages: number;
}

interface Sender {
  source: Source;
  seen: SequenceWindow;
}

export class BrokerCore {
  readonly epoch: string;
  readonly #cluster: string;
  readonly #startedMs: number;
  readonly #limits: BrokerCoreLimits;
  readonly #logs: BucketLog[];
  readonly #senders: SenderWindows<Sender>;
  readonly #ledger = new Ledger();
  readonly #writer = new ByteWriter(PUBLICATION_LIMITS.targetFrameBytes);
  /** Messages appended since the last `takeSections`, by bucket. */
  readonly #pending = new Map<number, LoggedMessage[]>();
  #pendingBytes = 0;
  #ringBytes = 0;
  #repaired = 0;
  #trimmed = 0;

  constructor(epoch: string, cluster: string, startedMs: number, limits: BrokerCoreLimits) {
    this.#startedMs = startedMs;
    this.epoch = epoch;
    this.#cluster = cluster;
    this.#limits = limits;
    const topicsPerBucket = Math.max(16, Math.ceil((limits.topics * 2) / BUCKET_COUNT));
    this.#logs = Array.from({ length: BUCKET_COUNT }, (_, bucket) => new BucketLog(bucket, topicsPerBucket));
    this.#senders = new SenderWindows(limits.publishers, (publisher) => ({
      source: { publisher, origin: cluster, hop: 0 },
      seen: new SequenceWindow(),
    }));
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
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

  /** What came since the last call, a section a bucket (more for a busy one), in order. */
  takeSections(): OutgoingSection[] {
    const sections: OutgoingSection[] = [];
    for (const [bucket, messages] of this.#pending) {
      for (const part of parts(messages)) {
        const bytes = encodeSection(this.#writer, {
          bucket,
          firstSequence: part[0]!.bucketSequence,
          messages: part,
        });
        sections.push({ bucket, bytes, messages: part.length });
      }
    }
    this.#pending.clear();
    this.#pendingBytes = 0;
    return sections;
  }

  heads(): BucketHead[] {
    return this.#logs.filter(({ head }) => head > 0).map(({ bucket, head }) => ({ bucket, sequence: head }));
  }

  /** `interest` is what all subscribers want together. */
  answer(request: RepairRequest, interest: BucketSet, nowMs: number): RepairReply {
    const reply = { request: request.request, epoch: this.epoch };
    switch (request.kind) {
      case 'heads':
        return { ...reply, kind: 'heads', upMs: nowMs - this.#startedMs, heads: this.heads() };
      case 'leave':
        return { ...reply, kind: 'leave' };
      case 'interest':
        return { ...reply, kind: 'interest', interest };
      case 'range': {
        const log = this.#logs[request.bucket]!;
        const { fromSequence, toSequence } = request;
        const section = log.range(fromSequence, toSequence, MAX_RANGE, REPAIR_LIMITS.maxReplyBytes);
        this.#repaired += section.messages.length;
        return {
          ...reply,
          kind: 'range',
          bucket: request.bucket,
          firstHeldSequence: log.firstHeld,
          headSequence: log.head,
          section,
        };
      }
      case 'topics': {
        const maxMessages = Math.min(request.maxMessages, MAX_RANGE);
        const maxBytes = Math.min(request.maxBytes, PUBLICATION_LIMITS.maxFrameBytes);
        // The limits are for the request as a whole: one reply must stay one frame.
        let left = PUBLICATION_LIMITS.maxFrameBytes - 65_536;
        const answers = request.queries.map((query) => {
          const log = this.#logs[bucketOf(query.topic)]!;
          const sameEpoch = query.epoch === this.epoch;
          const answer = log.history(query, sameEpoch, maxMessages, Math.min(maxBytes, left));
          for (const { data } of answer.messages) left -= data.length + MESSAGE_FRAME_BYTES;
          return answer;
        });
        return { ...reply, kind: 'topics', answers };
      }
    }
  }

  /** Lets go of what is older than the ring's age. Call it each second or so. */
  trim(nowMs: number): void {
    const oldest = nowMs - this.#limits.ringAgeMs;
    for (const log of this.#logs) while (log.oldestArrivedMs() < oldest) this.#drop(log);
  }

  snapshot(): BrokerCoreSnapshot {
    return {
      ledger: this.#ledger.snapshot(),
      topics: this.#logs.reduce((sum, log) => sum + log.topics, 0),
      publishers: this.#senders.size,
      ringMessages: this.#logs.reduce((sum, log) => sum + log.held, 0),
      ringBytes: this.#ringBytes,
      repaired: this.#repaired,
      trimmed: this.#trimmed,
    };
  }

  #take(message: Publication, nowMs: number): RefusalReason | undefined {
    const { source } = message;
    // What comes back to the cluster it was first published in has gone round in a circle.
    const returned = source.hop > 0 && source.origin === this.#cluster;
    if (returned || source.hop > this.#limits.maxHop) return 'too-many-hops';
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
    const log = this.#logs[bucket]!;
    const before = log.bytes;
    const logged = log.append(message, nowMs);
    this.#ringBytes += log.bytes - before;
    this.#pendingBytes += logged.data.length + MESSAGE_FRAME_BYTES;
    const waiting = this.#pending.get(bucket);
    if (waiting) waiting.push(logged);
    else this.#pending.set(bucket, [logged]);

    const limits = this.#limits;
    while (log.held > limits.ringMessagesPerBucket || log.bytes > limits.ringBytesPerBucket) this.#drop(log);
    if (this.#ringBytes > limits.ringBytes) this.#makeRoom();
  }

  /** The fullest buckets give way, a 64th of the budget at once so that the search is rare. */
  #makeRoom(): void {
    const target = this.#limits.ringBytes * (63 / 64);
    while (this.#ringBytes > target) {
      const fullest = this.#logs.reduce((most, log) => (log.bytes > most.bytes ? log : most));
      const half = fullest.bytes / 2;
      while (this.#ringBytes > target && fullest.bytes > half) this.#drop(fullest);
    }
  }

  #drop(log: BucketLog): void {
    const before = log.bytes;
    log.dropOldest();
    this.#ringBytes -= before - log.bytes;
    this.#trimmed += 1;
  }
}

export interface BrokerCoreSnapshot {
  ledger: LedgerSnapshot;
  topics: number;
  publishers: number;
  ringMessages: number;
  ringBytes: number;
  /** Messages handed out again through repair. */
  repaired: number;
  /** Messages that left the ring. */
  trimmed: number;
}

/** What a message adds to a frame beside its JSON, at most: topic, varints. */
const MESSAGE_FRAME_BYTES = 300;

/** Splits so that no section passes the target size or the count a block may have. */
function parts(messages: LoggedMessage[]): LoggedMessage[][] {
  const found: LoggedMessage[][] = [];
  let part: LoggedMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.data.length + message.topic.length + 16;
    if (
      part.length > 0 &&
      (bytes + size > PUBLICATION_LIMITS.targetFrameBytes ||
        part.length >= PUBLICATION_LIMITS.maxMessagesPerBatch)
    ) {
      found.push(part);
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) found.push(part);
  return found;
}
