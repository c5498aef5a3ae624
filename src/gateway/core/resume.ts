// (8) Whether a client that names its last position can be given everything since: from this gateway's own
// history, or from what the brokers still hold joined with what arrived here meanwhile. All or nothing.

import type { FetchedHistory, TopicPosition } from './feed-port.ts';
import { encodeMessage } from './message-frame.ts';
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

/** What this gateway alone can say to a client that was at `from`. */
export function planResume(topic: Topic, from: TopicPosition, limits: ResumeLimits): ResumePlan {
  const { position, openedAt } = topic;
  const sameEpoch = from.epoch === position.epoch;
  // Before this gateway listened another broker may have carried the topic for a while, in an epoch of its own.
  const wasHere = from.epoch !== openedAt.epoch || from.offset > openedAt.offset;
  // The client may be ahead: it came from a gateway that got the newest messages a moment earlier.
  if (wasHere && sameEpoch && from.offset >= position.offset) return { how: 'replay', frames: [] };
  if (sameEpoch && position.offset - from.offset > limits.maxMessages) return { how: 'refuse' };
  const frames = wasHere ? topic.history.after(from) : undefined;
  if (frames) return within(frames, limits) ? { how: 'replay', frames } : { how: 'refuse' };
  return from.epoch === '' ? { how: 'refuse' } : { how: 'fetch' };
}

/** Joins what was fetched after `from` with what came here since; undefined when a hole remains. */
export function replayFetched(
  topic: Topic,
  from: TopicPosition,
  fetched: FetchedHistory,
  limits: ResumeLimits,
  allocate: Allocate,
): Uint8Array[] | undefined {
  if (!fetched.complete) return undefined;
  const { position } = topic;
  // What other brokers carried comes before what is of the topic's epoch now, so that the live stream goes on from
  // it. Beyond the topic's position everything will come live, and must come only once.
  const elsewhere = fetched.messages.filter(({ epoch }) => epoch !== position.epoch);
  const current = fetched.messages.filter(
    ({ epoch, offset }) => epoch === position.epoch && offset <= position.offset,
  );
  // Complete means up to the head: there may be nothing between the client and the head's epoch.
  const reached = [from, fetched.head, ...current]
    .filter(({ epoch }) => epoch === position.epoch)
    .reduce((most, { offset }) => Math.max(most, offset), -1);
  const isHere = reached >= position.offset || position.offset === 0;
  const last = reached < 0 ? (elsewhere.at(-1) ?? from) : { epoch: position.epoch, offset: reached };
  const since = isHere ? [] : topic.history.after(last);
  if (!since) return undefined;
  const ours = [...elsewhere, ...current].map(({ epoch, offset, data }, i, all) => {
    const told = (all[i - 1] ?? from).epoch;
    return encodeMessage(topic.prefix, epoch === told ? '' : epoch, offset, data, allocate);
  });
  const frames = [...ours, ...since];
  return within(frames, limits) ? frames : undefined;
}

function within(frames: readonly Uint8Array[], { maxMessages, maxBytes }: ResumeLimits): boolean {
  if (frames.length > maxMessages) return false;
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes <= maxBytes;
}
