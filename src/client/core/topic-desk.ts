// (6) What one connection asks of its gateway about topics, and what becomes of the answers.

import type { SubscribedItem } from '../../protocol/client-frames.ts';
import { closeBand } from '../../protocol/close-codes.ts';
import type { ClientEvent } from './client-events.ts';
import type { Stream } from './stream.ts';
import type { TopicBook } from './topic-book.ts';
import type { TopicRequest } from './topic-requests.ts';
import { createTopicRequests } from './topic-requests.ts';

export interface TopicDeskParts {
  book: TopicBook;
  stream: Stream;
  emit: (event: ClientEvent) => void;
  /** Whether a frame may go out, and how large it may be. */
  mayAsk: () => boolean;
  maxFrameBytes: () => number;
  nextId: () => number;
  send: (frame: object) => void;
  /** Whether an earlier connection still delivers while this one resumes. */
  predecessorDelivers: () => boolean;
  /** A topic was refused for now: `askAgain` in a while. */
  onPostponed: () => void;
}

export interface TopicDesk {
  request(what: TopicRequest['what'], topics: readonly string[]): void;
  /** Sends what waits, as far as the gateway takes it. */
  ask(): void;
  /** Takes the answer to question `id`; an answer to another one is not its business. */
  answered(
    id: number,
    items: readonly SubscribedItem[],
    problem: { code: number; msg: string } | undefined,
  ): void;
  askAgain(): void;
  /** Questions without an answer. */
  open(): number;
  /** Every `sub` is answered. */
  isSubscribed(): boolean;
  end(): void;
}

export function createTopicDesk(parts: TopicDeskParts): TopicDesk {
  const { book, stream } = parts;
  const asked = new Map<number, { what: TopicRequest['what']; topics: Set<string> }>();
  const postponed = new Set<string>();
  const requests = createTopicRequests((topic) => book.item(topic));

  const ask = (): void => {
    while (parts.mayAsk()) {
      const next = requests.next(parts.maxFrameBytes());
      if (!next) return;
      const { what, items } = next;
      const id = parts.nextId();
      asked.set(id, { what, topics: new Set(what === 'sub' ? items.map(({ c }) => c) : items) });
      parts.send({ op: what, id, c: items });
    }
  };

  const request = (what: TopicRequest['what'], topics: readonly string[]): void => {
    for (const topic of topics) {
      postponed.delete(topic);
      // What was wished before is not wished any more: neither its answer counts, nor what comes until the new one.
      for (const one of asked.values()) one.topics.delete(topic);
      stream.leave(topic);
    }
    requests.add(what, topics);
    ask();
  };

  const refused = (topic: string, { code, msg: message }: { code: number; msg: string }): void => {
    if (closeBand(code) === 'retry') {
      postponed.add(topic);
      parts.onPostponed();
    } else if (book.has(topic)) {
      book.remove(topic);
      parts.emit({ name: 'refused', detail: { topic, code, message } });
    }
  };

  return {
    request,
    ask,
    answered(id, items, problem) {
      const one = asked.get(id);
      if (!one) return;
      asked.delete(id);
      requests.answered();
      if (one.what === 'unsub') return;
      if (problem) for (const topic of one.topics) refused(topic, problem);
      for (const item of items.filter(({ c }) => one.topics.has(c))) {
        if (item.err) refused(item.c, item.err);
        else stream.subscribed(item, parts.predecessorDelivers());
      }
    },
    askAgain() {
      const topics = [...postponed].filter((topic) => book.has(topic));
      postponed.clear();
      request('sub', topics);
    },
    open: () => asked.size,
    isSubscribed: () => !requests.subWaits() && [...asked.values()].every(({ what }) => what !== 'sub'),
    end: () => asked.clear(),
  };
}
