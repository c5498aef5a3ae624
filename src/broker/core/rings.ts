// The memories of all buckets under one budget: each has its limits, and when all together hold too much the
// fullest give way.

import { BUCKET_COUNT } from '../../protocol/bucket.ts';
import type { Publication } from '../../protocol/publication.ts';
import { BucketLog } from './bucket-log.ts';
import type { LoggedMessage } from './message-shelves.ts';

export interface RingLimits {
  /** Held for repair and resume in all buckets together, and in one bucket at most. */
  ringBytes: number;
  ringBytesPerBucket: number;
  ringMessagesPerBucket: number;
  /** Older messages go, whatever room there is: the longest resume is 2 minutes. */
  ringAgeMs: number;
}

export class Rings {
  readonly #limits: RingLimits;
  readonly logs: readonly BucketLog[];
  #bytes = 0;
  #trimmed = 0;

  constructor(limits: RingLimits, topicsPerBucket: number) {
    this.#limits = limits;
    this.logs = Array.from({ length: BUCKET_COUNT }, (_, bucket) => new BucketLog(bucket, topicsPerBucket));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Messages that left. */
  get trimmed(): number {
    return this.#trimmed;
  }

  get messages(): number {
    return this.logs.reduce((sum, log) => sum + log.held, 0);
  }

  get topics(): number {
    return this.logs.reduce((sum, log) => sum + log.topics, 0);
  }

  /** Numbers a message of `bucket` and keeps it. */
  append(bucket: number, message: Publication, nowMs: number): LoggedMessage {
    const log = this.logs[bucket]!;
    const before = log.bytes;
    const logged = log.append(message, nowMs);
    this.#bytes += log.bytes - before;
    const { ringBytes, ringBytesPerBucket, ringMessagesPerBucket } = this.#limits;
    while (log.held > ringMessagesPerBucket || log.bytes > ringBytesPerBucket) this.#drop(log);
    if (this.#bytes > ringBytes) this.#makeRoom();
    return logged;
  }

  /** Lets go of what is too old. */
  trim(nowMs: number): void {
    const oldest = nowMs - this.#limits.ringAgeMs;
    for (const log of this.logs) while (log.oldestArrivedMs() < oldest) this.#drop(log);
  }

  /** The fullest buckets give way, a 64th of the budget at once so that the search is rare. */
  #makeRoom(): void {
    const target = this.#limits.ringBytes * (63 / 64);
    while (this.#bytes > target) {
      const fullest = this.logs.reduce((most, log) => (log.bytes > most.bytes ? log : most));
      const half = fullest.bytes / 2;
      while (this.#bytes > target && fullest.bytes > half) this.#drop(fullest);
    }
  }

  #drop(log: BucketLog): void {
    const before = log.bytes;
    log.dropOldest();
    this.#bytes -= before - log.bytes;
    this.#trimmed += 1;
  }
}
