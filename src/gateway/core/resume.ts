// (8) Whether a client that names its last position can be given everything since: from this gateway's own
// history, or from what the brokers still hold joined with what arrived here meanwhile. All or nothing.

import type { FetchedHistory, ResumePoint } from './feed-port.ts';
import { seenBy } from './feed-port.ts';
import type { KeptFrame } from './history.ts';
import { encodeMessage, namingEpoch } from './message-frame.ts';
import type { Topic } from './topic.ts';
import type { Allocate } from './ws-frame.ts';

export interface ResumeLimits {
  maxMessages: number;
  maxBytes: number;
}

export type ResumePlan =
  /** All of it is here. */
  | { how: 'replay'; frames: Uint8Array[] }
  | { how: 'fetch' }
  /** Not possible, whoever is asked. */
  | { how: 'refuse' };

/**
 * Streams of two brokers reach two gateways in different orders, apart by as much as one of them had to repair: a
 * message that a client saw elsewhere tells that it saw what was carried so long before.
 */
export const SETTLED_MS = 10_000;

/** What this gateway alone can say to a client that was at `from`. */
export function planResume(
  topic: Topic,
  from: ResumePoint,
  limits: ResumeLimits,
  nowMs: number,
  allocate: Allocate,
): ResumePlan {
  const { position, openedAt, openedMs, history } = topic;
  const sameEpoch = from.epoch === position.epoch;
  if (sameEpoch && position.offset - from.offset > limits.maxMessages) return { how: 'refuse' };
  if (!history.isPastHole(from, nowMs)) return { how: 'refuse' };
  if (from.epoch === '') {
    // It waited for a broker, and so did this gateway.
    const all = openedAt.epoch === '' ? history.unseen(seenBy(from)) : undefined;
    return all ? replay(spoken(topic, '', all, allocate), limits) : { how: 'refuse' };
  }
  // The client may be ahead: it came from a gateway that got the newest messages a moment earlier.
  const isAhead = sameEpoch && from.offset > position.offset;
  const passedMs = isAhead ? nowMs : history.passedMs(from);
  // What was carried before this gateway listened, by whichever broker, can only be had from the brokers.
  if (passedMs === undefined || passedMs - openedMs < SETTLED_MS) return { how: 'fetch' };
  const unseen = history.unseen(seenBy(from), passedMs - SETTLED_MS);
  return unseen ? replay(spoken(topic, from.epoch, unseen, allocate), limits) : { how: 'fetch' };
}

/** Joins what was fetched after `from` with what came here since; undefined when a hole remains. */
export function replayFetched(
  topic: Topic,
  from: ResumePoint,
  fetched: FetchedHistory,
  limits: ResumeLimits,
  nowMs: number,
  allocate: Allocate,
): Uint8Array[] | undefined {
  if (!fetched.complete || !topic.history.isPastHole(from, nowMs)) return undefined;
  const { position } = topic;
  // Beyond the topic's position everything will come live, and must come only once; unless its twin did already.
  const due = fetched.messages.filter(
    ({ epoch, offset, hasTwin }) => epoch !== position.epoch || offset <= position.offset || hasTwin === true,
  );
  const seen = seenBy(from);
  for (const [epoch, offset] of fetched.reached) {
    seen.set(epoch, Math.max(seen.get(epoch) ?? 0, offset));
  }
  const since = topic.history.unseen(seen);
  if (!since) return undefined;
  // What is of the topic's epoch now comes last, so that the live stream goes on from it.
  const ordered = [
    ...due.filter(({ epoch }) => epoch !== position.epoch),
    ...due.filter(({ epoch }) => epoch === position.epoch),
  ];
  const ours = ordered.map(({ epoch, offset, data }, i, all) => {
    const told = (all[i - 1] ?? from).epoch;
    return encodeMessage(topic.prefix, epoch === told ? '' : epoch, offset, data, allocate);
  });
  const frames = [...ours, ...spoken(topic, (ordered.at(-1) ?? from).epoch, since, allocate)];
  return isWithin(frames, limits) ? frames : undefined;
}

/** Kept frames for one who heard of `told` last: each epoch is named where it changes for them. */
function spoken(topic: Topic, told: string, kept: readonly KeptFrame[], allocate: Allocate): Uint8Array[] {
  return kept.map(({ epoch, frame }, i) =>
    epoch === (kept[i - 1]?.epoch ?? told) ? frame : namingEpoch(topic.prefix, frame, epoch, allocate),
  );
}

function replay(frames: Uint8Array[], limits: ResumeLimits): ResumePlan {
  return isWithin(frames, limits) ? { how: 'replay', frames } : { how: 'refuse' };
}

export function isWithin(frames: readonly Uint8Array[], { maxMessages, maxBytes }: ResumeLimits): boolean {
  if (frames.length > maxMessages) return false;
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes <= maxBytes;
}
