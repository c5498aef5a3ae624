// (6) Where this client stands in each topic, whichever connection it learned it from. One rule suppresses
// every duplicate and keeps the order, also while two connections deliver the same topic during a move: a
// message counts when its offset is above the highest seen in its epoch. Each connection's stream is complete
// from the position it was asked to resume after, so nothing can be skipped by it.

import type { Position, SubscribeItem } from '../../protocol/client-frames.ts';
import { MAX_ALSO } from '../../protocol/client-frames.ts';

/** A bucket may go from one broker to another and back, so more than the last epoch is remembered. */
const EPOCHS_PER_TOPIC = MAX_ALSO + 1;

interface Entry {
  /** Highest offset seen by epoch, the latest used last. */
  seen: Map<string, number>;
  last: Position | undefined;
}

export interface TopicBook {
  /** False when it has the topic already; a position that is given counts all the same. */
  add(topic: string, from?: Position): boolean;
  remove(topic: string): void;
  has(topic: string): boolean;
  topics(): string[];
  /** What to subscribe with: the topic, and where to resume when that is known. */
  item(topic: string): SubscribeItem;
  position(topic: string): Position | undefined;
  /** Highest offset seen in that epoch. */
  offsetIn(topic: string, epoch: string): number | undefined;
  /** Takes a message. False = seen before, or not subscribed. */
  take(topic: string, epoch: string, offset: number): boolean;
  /** Everything up to here is seen or will not come. */
  settle(topic: string, position: Position): void;
}

export function createTopicBook(): TopicBook {
  const entries = new Map<string, Entry>();

  const note = (entry: Entry, epoch: string, offset: number): void => {
    const before = entry.seen.get(epoch);
    entry.seen.delete(epoch);
    entry.seen.set(epoch, Math.max(before ?? 0, offset));
    entry.last = { e: epoch, o: Math.max(before ?? 0, offset) };
    if (entry.seen.size > EPOCHS_PER_TOPIC) {
      const [oldest] = entry.seen.keys();
      entry.seen.delete(oldest!);
    }
  };

  return {
    add(topic, from) {
      if (entries.has(topic) && !from) return false;
      const entry: Entry = { seen: new Map(), last: undefined };
      if (from) note(entry, from.e, from.o);
      entries.set(topic, entry);
      return true;
    },
    remove: (topic) => void entries.delete(topic),
    has: (topic) => entries.has(topic),
    topics: () => [...entries.keys()],
    item(topic) {
      const { last, seen } = entries.get(topic) ?? {};
      if (!last || !seen) return { c: topic };
      const also = [...seen].flatMap(([e, o]) => (e === last.e || e === '' ? [] : [{ e, o }]));
      return { c: topic, from: { ...last, ...(also.length > 0 && { also }) } };
    },
    position: (topic) => entries.get(topic)?.last,
    offsetIn: (topic, epoch) => entries.get(topic)?.seen.get(epoch),
    take(topic, epoch, offset) {
      const entry = entries.get(topic);
      if (!entry) return false;
      const seen = entry.seen.get(epoch);
      if (seen !== undefined && offset <= seen) return false;
      note(entry, epoch, offset);
      return true;
    },
    settle(topic, position) {
      const entry = entries.get(topic);
      if (entry) note(entry, position.e, position.o);
    },
  };
}
