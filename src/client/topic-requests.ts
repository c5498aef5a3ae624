// (6) What a gateway is asked about topics, in frames that it takes: as large as it said they may be, and a few at a
// time. What was asked first is sent first, so that `sub` and `unsub` of one topic do not overtake each other.

import { MAX_TOPICS_PER_FRAME } from '../protocol/client-frames.ts';
import type { SubscribeItem } from '../protocol/client-frames.ts';

/** Unanswered at a time; a gateway lets 32 wait and closes the connection beyond. */
const MOST_UNANSWERED = 16;
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
  const waiting: { what: TopicRequest['what']; topics: readonly string[]; from: number; most: number }[] = [];
  let unanswered = 0;

  return {
    add(what, topics) {
      const most = Math.max(USUAL_TOPICS, Math.ceil(topics.length / MOST_UNANSWERED));
      if (topics.length > 0)
        waiting.push({ what, topics, from: 0, most: Math.min(most, MAX_TOPICS_PER_FRAME) });
    },
    next(maxBytes) {
      const [first] = waiting;
      if (first === undefined || unanswered >= MOST_UNANSWERED) return undefined;
      const make = (topic: string): SubscribeItem | string => (first.what === 'sub' ? item(topic) : topic);
      const items: (SubscribeItem | string)[] = [];
      let bytes = FRAME_BYTES;
      while (first.from < first.topics.length && items.length < first.most) {
        const one = make(first.topics[first.from]!);
        // Names and positions are ASCII; and a comma.
        bytes += JSON.stringify(one).length + 1;
        if (bytes > maxBytes && items.length > 0) break;
        items.push(one);
        first.from += 1;
      }
      if (first.from === first.topics.length) waiting.shift();
      unanswered += 1;
      return { what: first.what, items } as TopicRequest;
    },
    answered: () => void (unanswered -= 1),
    subWaits: () => waiting.some(({ what }) => what === 'sub'),
  };
}
