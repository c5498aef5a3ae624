// What the subscribers of a cluster want, as its brokers say it. One that has just started knows of nobody yet, and one
// that is away does not speak: neither means that nobody is there.

import type { BucketSet } from '../../protocol/bucket.ts';
import { BUCKET_COUNT, bucketsWhere, hasBucket } from '../../protocol/bucket.ts';

/** A gateway finds a broker again within a second or two, and says what it wants at once. */
export const INTEREST_LASTS_MS = 5_000;
/** Between two answers that came so far apart, nobody was there to ask. */
const APART_MS = 1_000;

export class LastingInterest {
  /** Time in which brokers answered. */
  #spokenMs = 0;
  #answeredMs: number | undefined;
  /** By bucket, when any broker last said that it is wanted. */
  readonly #wantedMs = new Array<number>(BUCKET_COUNT).fill(-Infinity);

  /** A broker says what those want that it knows. */
  answered(interest: BucketSet, nowMs: number): void {
    this.#spokenMs += Math.min(nowMs - (this.#answeredMs ?? nowMs), APART_MS);
    this.#answeredMs = nowMs;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      if (hasBucket(interest, bucket)) this.#wantedMs[bucket] = this.#spokenMs;
    }
  }

  get wanted(): BucketSet {
    return bucketsWhere((bucket) => this.#spokenMs - this.#wantedMs[bucket]! < INTEREST_LASTS_MS);
  }
}
