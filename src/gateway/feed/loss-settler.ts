// (7) -> (8) What buckets lost, told to their topics: brokers are asked where each topic stood, so that its gap has an
// exact count. Where none of them knows, that is told too.

import { bucketOf } from '../../protocol/bucket.ts';
import type { RepairReply } from '../../protocol/publication-repair.ts';
import type { StandIn } from '../../subscriber/core/recover-epoch.ts';
import { chunks, headsRequest } from '../core/feed-history.ts';
import type { FeedLosses } from '../core/feed-losses.ts';
import type { FeedTopics } from '../core/feed-topics.ts';

export interface LossesHost {
  topics: FeedTopics;
  losses: FeedLosses;
  /** Those that are away answer nothing. */
  brokers(): Iterable<StandIn>;
  /** Whether messages of a bucket are being repaired. */
  lacks(bucket: number, epoch: string): boolean;
  /** Time in which any broker was there, ms. */
  reachMs(): number;
  /** Resolves after a while, or when a broker came. */
  change(): Promise<void>;
}

/** After a hole, whatever was still on its way has arrived by then. */
const SETTLE_MS = 1_500;
/** How long to wait for a broker that knows. */
const ANSWER_MS = 5_000;

type TopicsReply = Extract<RepairReply, { kind: 'topics' }>;

export class LossSettler {
  readonly #host: LossesHost;
  #closed = false;

  constructor(host: LossesHost) {
    this.#host = host;
  }

  /** `count` messages of the bucket are lost for good; `holder` knows best where its topics stood. */
  async settle(holder: StandIn, bucket: number, epoch: string, count: number): Promise<void> {
    const host = this.#host;
    const { topics } = host;
    topics.counts.lost += count;
    const untilMs = host.reachMs() + ANSWER_MS;
    for (const names of chunks([...topics.topicsOf(bucket)])) {
      const isKnown = await this.#askHeads(holder, names, epoch, untilMs);
      if (!isKnown && !this.#closed) topics.tellUncounted(names, epoch);
    }
  }

  /** Tells what turned out to be lost. */
  tick(): void {
    const host = this.#host;
    const { topics } = host;
    const due = host.losses.due(host.reachMs());
    for (const { topic, epoch, headOffset } of due.topics) {
      // What a long repair still brings is not lost.
      if (!host.lacks(bucketOf(topic), epoch)) topics.settleHead(topic, epoch, headOffset);
      else host.losses.suspect(topic, epoch, headOffset, host.reachMs() + SETTLE_MS);
    }
    for (const { bucket, epoch, count } of due.buckets) {
      topics.counts.lost += count;
      topics.tellUncounted(topics.topicsOf(bucket), epoch);
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** The furthest that anybody knows of. False when nobody does. */
  async #askHeads(
    holder: StandIn,
    names: readonly string[],
    epoch: string,
    untilMs: number,
  ): Promise<boolean> {
    const host = this.#host;
    for (;;) {
      const asked = [...new Set([holder, ...host.brokers()])];
      const replies = await Promise.all(asked.map((one) => one.question(headsRequest(names, epoch))));
      const isOf = (reply: RepairReply | undefined): reply is TopicsReply =>
        reply?.kind === 'topics' && reply.epoch === epoch;
      const known = replies.filter(isOf);
      for (const { topic, headOffset } of known.flatMap(({ answers }) => answers)) {
        host.losses.suspect(topic, epoch, headOffset, host.reachMs() + SETTLE_MS);
      }
      const isFinal = isOf(replies[0]) || !replies.includes(undefined) || host.reachMs() >= untilMs;
      if (isFinal || this.#closed) return known.length > 0;
      await host.change();
    }
  }
}
