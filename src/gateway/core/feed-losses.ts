// (8) What was lost and what only seemed so. A broker that died may have counted messages that never left it, and
// their publishers send them again through the next one: only what does not come again within a while is
// lost. Holes a living broker could not fill are settled topic by topic. Its time is `reachMs`: while no broker is
// there nobody can send anything again, so that time does not count.

import { BUCKET_COUNT } from '../../protocol/bucket.ts';

/** Publishers notice a death at once or within 2 s, and send again. */
export const RESEND_GRACE_MS = 3_000;

export interface BucketLoss {
  bucket: number;
  epoch: string;
  count: number;
}

interface Orphans extends BucketLoss {
  untilMs: number;
  /** Resent messages of the bucket that had come when the broker went away. */
  resentBefore: number;
}

interface Suspect {
  topic: string;
  epoch: string;
  headOffset: number;
  untilMs: number;
}

export class FeedLosses {
  readonly #resent = new Uint32Array(BUCKET_COUNT);
  #orphans: Orphans[] = [];
  readonly #suspects = new Map<string, Suspect>();

  /** A message that was sent again, and is new here. */
  noteResent(bucket: number): void {
    this.#resent[bucket]! += 1;
  }

  /** The counts now: taken when a broker's connection breaks, given to `orphan` when it is gone for good. */
  resentCounts(): Uint32Array {
    return this.#resent.slice();
  }

  /**
   * `count` messages of a bucket died with their broker, unless they come again. Without `resentBefore`, as for a broker
   * that is there and does not answer, only what is sent again from now on can be them.
   */
  orphan(loss: BucketLoss, reachMs: number, resentBefore = this.#resent[loss.bucket]!): void {
    this.#orphans.push({ ...loss, resentBefore, untilMs: reachMs + RESEND_GRACE_MS });
  }

  /** A topic of a bucket with a hole stands here; what has not come by `untilMs` is lost. */
  suspect(topic: string, epoch: string, headOffset: number, untilMs: number): void {
    // One topic may miss messages of two brokers at the same time.
    const key = `${epoch} ${topic}`;
    const known = this.#suspects.get(key)?.headOffset ?? 0;
    this.#suspects.set(key, { topic, epoch, headOffset: Math.max(headOffset, known), untilMs });
  }

  /** The verdicts that are due. */
  due(reachMs: number): {
    buckets: BucketLoss[];
    topics: { topic: string; epoch: string; headOffset: number }[];
  } {
    const buckets: BucketLoss[] = [];
    for (const { bucket, epoch, count, resentBefore, untilMs } of this.#orphans) {
      if (untilMs > reachMs) continue;
      const left = count - (this.#resent[bucket]! - resentBefore);
      if (left > 0) buckets.push({ bucket, epoch, count: left });
    }
    this.#orphans = this.#orphans.filter(({ untilMs }) => untilMs > reachMs);
    const due = [...this.#suspects].filter(([, { untilMs }]) => untilMs <= reachMs);
    for (const [key] of due) this.#suspects.delete(key);
    const topics = due.map(([, { topic, epoch, headOffset }]) => ({ topic, epoch, headOffset }));
    return { buckets, topics };
  }
}
