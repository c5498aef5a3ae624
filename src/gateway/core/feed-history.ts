// What a gateway asks brokers about topics.

import type { RepairRequest, TopicQuery } from '../../protocol/publication-repair.ts';
import { REPAIR_LIMITS } from '../../protocol/publication-repair.ts';
import type { TopicPosition } from './feed-port.ts';

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
