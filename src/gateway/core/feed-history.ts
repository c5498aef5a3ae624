// What brokers answer about topics, as the hub is told it: heads, histories, and the history of a topic whose
// owner has changed.

import type { RepairRequest, TopicAnswer, TopicQuery } from '../../protocol/publication-repair.ts';
import { REPAIR_LIMITS } from '../../protocol/publication-repair.ts';
import type { DeliveredMessage, FetchedHistory, FetchLimits, TopicPosition } from './feed-port.ts';

/** Nothing is known of the topic. */
export const NOWHERE: TopicPosition = { epoch: '', offset: 0 };

export function topicQuery(
  topic: string,
  want: TopicQuery['want'],
  { epoch, offset }: TopicPosition,
): TopicQuery {
  return { topic, want, epoch, afterOffset: offset };
}

/** Asks where topics stand, in the broker's own epoch or in one it kept. */
export function headsRequest(names: readonly string[], of: string): (request: number) => RepairRequest {
  const queries = names.map((topic) => topicQuery(topic, 'head', NOWHERE));
  return (request) => ({ request, kind: 'topics', of, maxMessages: 0, maxBytes: 0, queries });
}

/** Lists of topics that each fit one request. */
export function chunks<T>(list: T[]): T[][] {
  const size = REPAIR_LIMITS.maxTopicsPerRequest;
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** One broker's answer for one topic. */
export function historyOf(reply: { epoch: string; answers: TopicAnswer[] } | undefined): FetchedHistory {
  const [answer] = reply?.answers ?? [];
  if (!reply || !answer) return { complete: false, why: 'unavailable', head: NOWHERE };
  const head = { epoch: reply.epoch, offset: answer.headOffset };
  if (answer.status !== 'complete') return { complete: false, why: answer.status, head };
  const messages = answer.messages.map(({ topic, data, offset, publishedAtMs }): DeliveredMessage => ({
    topic,
    epoch: reply.epoch,
    offset,
    data,
    publishedAtMs,
  }));
  return { complete: true, messages, head };
}

/** Answers of an old owner and the new one, in that order, as one. */
export function joinHistories(parts: readonly FetchedHistory[], limits: FetchLimits): FetchedHistory {
  const messages = parts.flatMap((part) => (part.complete ? part.messages : []));
  // A new owner that has nothing of the topic yet leaves it where the old one stands.
  const { head } = parts.findLast((part) => part.head.offset > 0) ?? parts.at(-1)!;
  const bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
  if (messages.length > limits.maxMessages || bytes > limits.maxBytes) {
    return { complete: false, why: 'over-limit', head };
  }
  return { complete: true, messages, head };
}
