// The broker's probes: each second one message through every group of 16 buckets, like any other message.
// Gateways measure how long it took and that it came at all. Each second it is another bucket of the group,
// so that in 16 seconds every bucket was tried.

import { BUCKET_COUNT, bucketOf } from '../protocol/bucket.ts';

const CANARY_PREFIX = '$canary.';
const CANARY_GROUPS = 16;

/** A topic of the canary prefix for each bucket. */
export function canaryTopics(): string[] {
  const topics = new Array<string>(BUCKET_COUNT);
  for (let number = 0, missing = BUCKET_COUNT; missing > 0; number++) {
    const topic = `${CANARY_PREFIX}${number}`;
    const bucket = bucketOf(topic);
    if (topics[bucket] !== undefined) continue;
    topics[bucket] = topic;
    missing -= 1;
  }
  return topics;
}

/** The topics to probe in round number `round`, one a group. */
export function canaryRound(topics: readonly string[], round: number): string[] {
  const size = BUCKET_COUNT / CANARY_GROUPS;
  return Array.from({ length: CANARY_GROUPS }, (_, group) => topics[group * size + (round % size)]!);
}
