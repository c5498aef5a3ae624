// When a broker is gone, what is missing of its last life is asked of the brokers that kept a copy of its stream.
// What none of them has is lost, and counted.

import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { MAX_RANGE } from '../../protocol/publication-repair.ts';
import { emptyBucketSet } from '../../protocol/bucket.ts';
import type { BucketFeed } from './feed-bucket.ts';

/** A life of a broker as a subscriber had followed it. */
export interface FollowedEpoch {
  epoch: string;
  buckets: ReadonlyMap<number, BucketFeed>;
  /** It may have gone on unheard (cut-off.ts). */
  wasCut?: boolean;
  /** Since when nothing of it was heard, as its connection was gone: it is taken to have ended then. */
  quietMs?: number | undefined;
}

/** A broker that may have kept a copy. */
export interface StandIn {
  id: string;
  /** Undefined when it did not answer in time. */
  question(build: (request: number) => RepairRequest): Promise<RepairReply | undefined>;
}

export interface RecoveryEvents {
  repaired(count: number): void;
  /** `count` messages of the bucket are nowhere; `holder` knows where its topics stood, if any broker does. */
  lost(bucket: number, count: number, holder: StandIn | undefined): void;
}

const NO_INTEREST = emptyBucketSet();
/** Buckets asked for at the same time. */
const AT_ONCE = 8;

/**
 * Whether what is missing may be given up: `never` = its broker may still come back; `proven` = where everybody who
 * could have it has said no; `now` = all of it.
 */
export type GiveUp = 'never' | 'proven' | 'now';

export interface Recovered {
  /** Nothing is missing any more, as far as is known. */
  isWhole: boolean;
  /** Everybody who could know more has spoken. */
  isFinal: boolean;
  /** Somebody had followed that epoch to its end. */
  isKnown: boolean;
}

/** Fetches what is missing from those who may have kept it. */
export async function recoverEpoch(
  { epoch, buckets }: FollowedEpoch,
  standIns: readonly StandIn[],
  giveUp: GiveUp,
  events: RecoveryEvents,
): Promise<Recovered> {
  const holders: { standIn: StandIn; total: number; knowsEnd: boolean }[] = [];
  const answered = await Promise.all(
    standIns.map(async (standIn) => {
      const reply = await standIn.question((request) => ({
        request,
        kind: 'heads',
        of: epoch,
        interest: NO_INTEREST,
      }));
      if (reply?.kind !== 'heads' || reply.epoch !== epoch) return reply !== undefined;
      for (const { bucket, sequence } of reply.heads) buckets.get(bucket)?.noteHead(sequence);
      const total = reply.heads.reduce((sum, { sequence }) => sum + sequence, 0);
      holders.push({ standIn, total, knowsEnd: reply.upMs > 0 });
      return true;
    }),
  );
  const allAnswered = answered.length > 0 && !answered.includes(false);
  // The one that got furthest first.
  holders.sort((a, b) => b.total - a.total);
  const waiting = [...buckets].filter(([, feed]) => feed.missing() !== undefined);
  const next = async (): Promise<void> => {
    for (let one = waiting.pop(); one; one = waiting.pop()) {
      const [bucket, feed] = one;
      let isProven = allAnswered;
      const fetch = async (): Promise<void> => {
        for (const { standIn } of holders) {
          isProven = (await fetchFrom(standIn, epoch, bucket, feed, events)) && isProven;
        }
      };
      await fetch();
      let lost = 0;
      const isGivenUp = (): boolean => giveUp === 'now' || (giveUp === 'proven' && isProven);
      for (let missing = feed.missing(); missing && isGivenUp(); missing = feed.missing()) {
        feed.skipTo(missing.to + 1, (count) => (lost += count));
        // What lies behind the hole is there to be had.
        await fetch();
      }
      if (lost > 0) events.lost(bucket, lost, holders[0]?.standIn);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return {
    isWhole: [...buckets.values()].every((feed) => feed.missing() === undefined),
    isFinal: allAnswered || giveUp === 'now',
    isKnown: holders.some(({ knowsEnd }) => knowsEnd),
  };
}

/**
 * Takes every range of a bucket that this holder has; leaves what it has not to the next one. False when it did
 * not answer, and so may have more.
 */
async function fetchFrom(
  holder: StandIn,
  epoch: string,
  bucket: number,
  feed: BucketFeed,
  events: RecoveryEvents,
): Promise<boolean> {
  let asked = 0;
  for (let missing = feed.missing(); missing; missing = feed.missing()) {
    // From the first hole that was not asked for yet: a holder may lack its beginning.
    const fromSequence = Math.max(missing.from, asked + 1);
    if (fromSequence > missing.to) break;
    const toSequence = Math.min(missing.to, fromSequence + MAX_RANGE - 1);
    const reply = await holder.question((request) => ({
      request,
      kind: 'range',
      of: epoch,
      bucket,
      fromSequence,
      toSequence,
    }));
    if (reply === undefined) return false;
    if (reply.kind !== 'range' || reply.epoch !== epoch || reply.section.messages.length === 0) break;
    const { section } = reply;
    asked = section.firstSequence + section.messages.length - 1;
    feed.receive(section);
    events.repaired(section.messages.length);
  }
  return true;
}
