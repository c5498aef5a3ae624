// (6) What a gateway is asked about topics, in frames that it takes: as large as it said they may be, and a few at a
// time. Of several wishes for one topic only the last is asked, so a program may change its mind as often as it likes.

import { MAX_TOPICS_PER_FRAME } from '../../protocol/client-frames.ts';
import type { SubscribeItem } from '../../protocol/client-frames.ts';

/** Unanswered at a time; a gateway lets 32 wait and closes the connection beyond. */
export const MOST_UNANSWERED = 16;
/** A gateway replays so much a frame, so a client with many topics asks in several, but not in so many that it is closed. */
const USUAL_TOPICS = 80;
/** Around the items of a frame: `{"op":"unsub","id":4294967295,"c":[]}`. */
const FRAME_BYTES = 64;

export type TopicRequest =
  { what: 'sub'; items: readonly SubscribeItem[] } | { what: 'unsub'; items: readonly string[] };

export interface TopicRequests {
  add(what: TopicRequest['what'], topics: readonly string[]): void;
  /** What may be sent now, in a frame of at most `maxBytes`; to be asked again until there is nothing. */
  next(maxBytes: number): TopicRequest | undefined;
  /** One that was sent is answered. */
  answered(): void;
  /** A `sub` waits to be sent. */
  subWaits(): boolean;
}

/** `item` says what a topic is to be subscribed with, at the moment its frame is made. */
export function createTopicRequests(item: (topic: string) => SubscribeItem): TopicRequests {
  const waiting = { sub: new Set<string>(), unsub: new Set<string>() };
  const mostTopics = { sub: 0, unsub: 0 };
  let unanswered = 0;

  return {
    add(what, topics) {
      const other = waiting[what === 'sub' ? 'unsub' : 'sub'];
      for (const topic of topics) {
        other.delete(topic);
        waiting[what].add(topic);
      }
      const most = Math.max(USUAL_TOPICS, Math.ceil(waiting[what].size / MOST_UNANSWERED));
      mostTopics[what] = Math.min(most, MAX_TOPICS_PER_FRAME);
    },
    next(maxBytes) {
      // Who leaves first makes room for who comes: a gateway takes so many topics at a time.
      const what = waiting.unsub.size > 0 ? 'unsub' : 'sub';
      if (waiting[what].size === 0 || unanswered >= MOST_UNANSWERED) return undefined;
      const items: (SubscribeItem | string)[] = [];
      let bytes = FRAME_BYTES;
      for (const topic of waiting[what]) {
        const one = what === 'sub' ? item(topic) : topic;
        // Names and positions are ASCII; and a comma.
        bytes += JSON.stringify(one).length + 1;
        if (items.length > 0 && (bytes > maxBytes || items.length === mostTopics[what])) break;
        items.push(one);
        waiting[what].delete(topic);
      }
      unanswered += 1;
      return { what, items } as TopicRequest;
    },
    answered: () => void (unanswered -= 1),
    subWaits: () => waiting.sub.size > 0,
  };
}
