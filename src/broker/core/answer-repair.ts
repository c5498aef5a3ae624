// What a broker answers on the repair socket, from its own memory or from what it keeps of another's epoch.

import type { BucketSet } from '../../protocol/bucket.ts';
import { bucketOf } from '../../protocol/bucket.ts';
import { mostFrameBytesOf, PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { MAX_RANGE, REPAIR_LIMITS } from '../../protocol/publication-repair.ts';
import type { BucketLog } from './bucket-log.ts';
import type { Standby } from './standby.ts';

/** What a reply takes beside its answers, and an answer beside its topic and its messages, at most. */
const REPLY_BYTES = 64;
const ANSWER_BYTES = 48;

export interface RepairSources {
  epoch: string;
  logs: readonly BucketLog[];
  standby: Standby;
  /** How long this epoch has lasted. */
  upMs: number;
  /** What all subscribers want together. */
  interest: BucketSet;
}

export function answerRepair(request: RepairRequest, from: RepairSources): RepairReply {
  const { standby } = from;
  const other = 'of' in request && request.of !== '' && request.of !== from.epoch ? request.of : undefined;
  const reply = { request: request.request, epoch: other ?? from.epoch };
  if (other !== undefined && !standby.knows(other)) return { ...reply, kind: 'not-held' };
  const logOf = (bucket: number): BucketLog =>
    other === undefined ? from.logs[bucket]! : standby.log(other, bucket);
  switch (request.kind) {
    case 'heads': {
      if (other === undefined) return { ...reply, kind: 'heads', upMs: from.upMs, heads: headsOf(from.logs) };
      const upMs = standby.knowsEnd(other) ? 1 : 0;
      return { ...reply, kind: 'heads', upMs, heads: standby.heads(other) };
    }
    case 'leave':
      return { ...reply, kind: 'leave' };
    case 'interest':
      return { ...reply, kind: 'interest', interest: from.interest };
    case 'range': {
      const { bucket, fromSequence, toSequence } = request;
      const log = logOf(bucket);
      const section = log.range(fromSequence, toSequence, MAX_RANGE, REPAIR_LIMITS.maxReplyBytes);
      return {
        ...reply,
        kind: 'range',
        bucket,
        firstHeldSequence: log.firstHeld,
        headSequence: log.head,
        section,
      };
    }
    case 'topics': {
      const maxMessages = Math.min(request.maxMessages, MAX_RANGE);
      const maxBytes = Math.min(request.maxBytes, PUBLICATION_LIMITS.maxFrameBytes);
      // For the request as a whole: one reply must stay one frame, or the connection of the asker breaks.
      let roomBytes = PUBLICATION_LIMITS.maxFrameBytes - REPLY_BYTES;
      for (const { topic } of request.queries) roomBytes -= topic.length + ANSWER_BYTES;
      const answers = request.queries.map((query) => {
        const sameEpoch = query.epoch === reply.epoch;
        const log = logOf(bucketOf(query.topic));
        const answer = log.history(query, sameEpoch, { maxMessages, maxBytes, roomBytes });
        for (const message of answer.messages) roomBytes -= mostFrameBytesOf(message);
        return answer;
      });
      return { ...reply, kind: 'topics', answers };
    }
  }
}

export function headsOf(logs: readonly BucketLog[]): { bucket: number; sequence: number }[] {
  return logs.filter(({ head }) => head > 0).map(({ bucket, head }) => ({ bucket, sequence: head }));
}
