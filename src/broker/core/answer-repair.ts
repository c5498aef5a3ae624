// What a broker answers on the repair socket, from its own memory or from what it keeps of another's epoch.

import type { BucketSet } from '../../protocol/bucket.ts';
import { bucketOf } from '../../protocol/bucket.ts';
import { PUBLICATION_LIMITS } from '../../protocol/publication.ts';
import type { RepairReply, RepairRequest } from '../../protocol/publication-repair.ts';
import { MAX_RANGE, REPAIR_LIMITS } from '../../protocol/publication-repair.ts';
import type { BucketLog } from './bucket-log.ts';
import type { Standby } from './standby.ts';

/** What a message adds to a frame beside its JSON, at most: topic, varints. */
export const MESSAGE_FRAME_BYTES = 300;

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
      // The limits are for the request as a whole: one reply must stay one frame.
      let left = PUBLICATION_LIMITS.maxFrameBytes - 65_536;
      const answers = request.queries.map((query) => {
        const sameEpoch = query.epoch === reply.epoch;
        const log = logOf(bucketOf(query.topic));
        const answer = log.history(query, sameEpoch, maxMessages, Math.min(maxBytes, left));
        for (const { data } of answer.messages) left -= data.length + MESSAGE_FRAME_BYTES;
        return answer;
      });
      return { ...reply, kind: 'topics', answers };
    }
  }
}

export function headsOf(logs: readonly BucketLog[]): { bucket: number; sequence: number }[] {
  return logs.filter(({ head }) => head > 0).map(({ bucket, head }) => ({ bucket, sequence: head }));
}
