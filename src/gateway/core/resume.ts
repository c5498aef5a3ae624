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
  const { position } = topic;
  const sameEpoch = from.epoch === position.epoch;
  // The client may be ahead: it came from a gateway that got the newest messages a moment earlier.
  if (sameEpoch && from.offset >= position.offset) return { how: 'replay', frames: [] };
  if (sameEpoch && position.offset - from.offset > limits.maxMessages) return { how: 'refuse' };
  const frames = topic.history.after(from);
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
  const frames: Uint8Array[] = [];
  let last = from;
  for (const { epoch, offset, data } of fetched.messages) {
    // Beyond the topic's position everything will come live, and must come only once.
    if (epoch === topic.position.epoch && offset > topic.position.offset) break;
    frames.push(encodeMessage(topic.prefix, epoch === last.epoch ? '' : epoch, offset, data, allocate));
    last = { epoch, offset };
  }
  const here = topic.position.epoch === last.epoch && topic.position.offset <= last.offset;
  const since = here ? [] : topic.history.after(last);
  if (!since) return undefined;
  frames.push(...since);
  return within(frames, limits) ? frames : undefined;
}

function within(frames: readonly Uint8Array[], { maxMessages, maxBytes }: ResumeLimits): boolean {
  if (frames.length > maxMessages) return false;
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes <= maxBytes;
}
