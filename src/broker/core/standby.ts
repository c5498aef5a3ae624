// What this broker keeps of the others' streams, so that a broker's death takes nothing with it that had left
// it: gateways repair their holes and clients resume from here. Copies carry the dead broker's own numbers.

import { BUCKET_COUNT } from '../../protocol/bucket.ts';
import type { BucketHead, SequencedMessage } from '../../protocol/publication-envelope.ts';
import { BucketLog } from './bucket-log.ts';
import type { BucketStand } from './journal-records.ts';

export interface StandbyLimits {
  /** Copies of all epochs together; the oldest go first. */
  bytes: number;
  /**
   * What a gateway may have missed and still get; longer than any freeze it lives through. Counted from the
   * epoch's last word, so that a dead broker's copies stay while they are needed.
   */
  messageAgeMs: number;
  /** How long an epoch is known after its last word. */
  epochAgeMs: number;
  topicsPerBucket: number;
}

interface KeptEpoch {
  logs: (BucketLog | undefined)[];
  heardMs: number;
  /** It may have gone on unheard. */
  isCut: boolean;
}

/** Brokers that come and go faster than epochs are forgotten. */
const MAX_EPOCHS = 64;

export class Standby {
  readonly #limits: StandbyLimits;
  readonly #epochs = new Map<string, KeptEpoch>();
  #bytes = 0;

  constructor(limits: StandbyLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `ownOffsetOf`: where a topic stands in this broker's own epoch. */
  keep(
    epoch: string,
    bucket: number,
    firstSequence: number,
    messages: readonly SequencedMessage[],
    ownOffsetOf: (topic: string) => number,
    nowMs: number,
  ): void {
    const log = this.#log(epoch, bucket, nowMs);
    const before = log.bytes;
    messages.forEach((message, i) => log.copy(message, firstSequence + i, ownOffsetOf(message.topic), nowMs));
    this.#bytes += log.bytes - before;
    this.#epochs.get(epoch)!.isCut = false;
    if (this.#bytes > this.#limits.bytes) this.#makeRoom();
  }

  /** `count` messages of the bucket, the next ones, did not come and will not. */
  missed(epoch: string, bucket: number, count: number, nowMs: number): void {
    const log = this.#log(epoch, bucket, nowMs);
    const before = log.bytes;
    log.skipTo(log.head + count + 1);
    this.#bytes += log.bytes - before;
  }

  /** A bucket got as far as this. */
  reach(epoch: string, stand: BucketStand, nowMs: number): void {
    const log = this.#log(epoch, stand.bucket, nowMs);
    const before = log.bytes;
    log.reach(stand);
    this.#bytes += log.bytes - before;
  }

  /** This broker was cut off from that epoch's: until more of it comes, its end may be missing. */
  noteCut(epoch: string): void {
    const kept = this.#epochs.get(epoch);
    if (kept) kept.isCut = true;
  }

  knows(epoch: string): boolean {
    return this.#epochs.has(epoch);
  }

  /** Whether nothing of the epoch can have come after what is known of it. */
  knowsEnd(epoch: string): boolean {
    return this.#epochs.get(epoch)?.isCut === false;
  }

  heads(epoch: string): BucketHead[] {
    const logs = this.#epochs.get(epoch)?.logs ?? [];
    return logs.flatMap((log) => (log && log.head > 0 ? [{ bucket: log.bucket, sequence: log.head }] : []));
  }

  /** A bucket of the epoch; an empty one where nothing was kept. */
  log(epoch: string, bucket: number): BucketLog {
    return this.#epochs.get(epoch)?.logs[bucket] ?? new BucketLog(bucket, 1);
  }

  trim(nowMs: number): void {
    for (const [epoch, { logs, heardMs }] of this.#epochs) {
      for (const log of logs) {
        while (log && log.oldestArrivedMs() < heardMs - this.#limits.messageAgeMs) this.#drop(log);
      }
      if (nowMs - heardMs > this.#limits.epochAgeMs) this.#forget(epoch);
    }
  }

  #log(epoch: string, bucket: number, nowMs: number): BucketLog {
    let kept = this.#epochs.get(epoch);
    if (!kept) {
      if (this.#epochs.size >= MAX_EPOCHS) this.#forget(this.#unheardLongest());
      kept = { logs: new Array<undefined>(BUCKET_COUNT).fill(undefined), heardMs: nowMs, isCut: false };
      this.#epochs.set(epoch, kept);
    }
    kept.heardMs = nowMs;
    return (kept.logs[bucket] ??= new BucketLog(bucket, this.#limits.topicsPerBucket));
  }

  #unheardLongest(): string {
    return [...this.#epochs].reduce((a, b) => (b[1].heardMs < a[1].heardMs ? b : a))[0];
  }

  /** The fullest buckets give way, a 16th of the budget at once so that the search is rare. */
  #makeRoom(): void {
    const target = this.#limits.bytes * (15 / 16);
    while (this.#bytes > target) {
      const logs = [...this.#epochs.values()].flatMap((kept) => kept.logs.filter((log) => log !== undefined));
      const fullest = logs.reduce((most, log) => (log.bytes > most.bytes ? log : most));
      const half = fullest.bytes / 2;
      while (this.#bytes > target && fullest.bytes > half) this.#drop(fullest);
    }
  }

  #drop(log: BucketLog): void {
    const before = log.bytes;
    log.dropOldest();
    this.#bytes += log.bytes - before;
  }

  #forget(epoch: string): void {
    for (const log of this.#epochs.get(epoch)?.logs ?? []) this.#bytes -= log?.bytes ?? 0;
    this.#epochs.delete(epoch);
  }
}
