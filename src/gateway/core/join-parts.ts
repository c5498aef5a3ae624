// (8) What several brokers carried of one topic, each in its own epoch, made one history: each message once, also where
// two of them carried it. Pure; who asks the brokers is fetch-history.ts.

import { MESSAGE_FLAG } from '../../protocol/publication.ts';
import type { SequencedMessage } from '../../protocol/publication-envelope.ts';
import type { TopicAnswer } from '../../protocol/publication-repair.ts';
import { traceKey } from '../../protocol/publication-trace.ts';
import { NOWHERE } from './feed-history.ts';
import type { DeliveredMessage, FetchedHistory, FetchLimits, FetchTrouble } from './feed-port.ts';

/** One epoch's share of a history. */
export interface CarriedPart {
  epoch: string;
  /** How far the epoch was known to go: everything up to here is among `messages` or before them. */
  head: number;
  messages: readonly SequencedMessage[];
  /** Why it is not whole. */
  trouble?: FetchTrouble;
}

/** One broker's answer for one topic. */
export function partOf(reply: { epoch: string; answers: TopicAnswer[] } | undefined): CarriedPart {
  const [answer] = reply?.answers ?? [];
  if (!reply || !answer) return { epoch: '', head: 0, messages: [], trouble: 'unavailable' };
  const part = { epoch: reply.epoch, head: answer.headOffset, messages: answer.messages };
  return answer.status === 'complete' ? part : { ...part, messages: [], trouble: answer.status };
}

/**
 * The copy that goes furthest of those that are whole from `after` on, or from their start when `after` is undefined.
 * While the broker lives, copies that are all behind the client mean that it has missed nothing there.
 */
export function bestCopy(
  copies: readonly CarriedPart[],
  after: number | undefined,
  isLiving: boolean,
): CarriedPart | undefined {
  const whole = copies.filter(({ trouble }) => trouble === undefined);
  const best = whole.toSorted((a, b) => b.head - a.head)[0] ?? copies[0];
  if (best?.trouble === undefined || after === undefined) return best;
  const behind = copies.every(({ head }) => head > 0 && head < after);
  return isLiving && behind ? { epoch: best.epoch, head: after, messages: [] } : best;
}

/** Identities of what a client that was at `offset` has had. */
export function seenIds({ messages }: CarriedPart, offset: number): string[] {
  return messages.filter((message) => message.offset <= offset).map(idOf);
}

/** Parts in their order as one history, without what the client has had as a twin in another epoch. */
export function joinParts(
  parts: readonly CarriedPart[],
  twins: ReadonlySet<string>,
  limits: FetchLimits,
): FetchedHistory {
  const last = parts.findLast(({ head }) => head > 0) ?? parts.at(-1);
  const head = last ? { epoch: last.epoch, offset: last.head } : NOWHERE;
  const broken = parts.find(({ trouble }) => trouble !== undefined);
  if (broken?.trouble !== undefined || parts.length === 0) {
    return { complete: false, why: broken?.trouble ?? 'unavailable', head };
  }
  const carried = new Map<string, number>();
  for (const { messages } of parts) {
    for (const message of messages) {
      const id = idOf(message);
      carried.set(id, (carried.get(id) ?? 0) + 1);
    }
  }
  const taken = new Set(twins);
  const messages: DeliveredMessage[] = [];
  for (const part of parts) {
    for (const message of part.messages) {
      const id = idOf(message);
      if (taken.has(id)) continue;
      taken.add(id);
      const { topic, offset, data, publishedAtMs } = message;
      const hasTwin = carried.get(id)! > 1 || (message.flags & MESSAGE_FLAG.resent) !== 0;
      messages.push({ topic, epoch: part.epoch, offset, data, publishedAtMs, ...(hasTwin && { hasTwin }) });
    }
  }
  const bytes = messages.reduce((sum, { data }) => sum + data.length, 0);
  if (messages.length > limits.maxMessages || bytes > limits.maxBytes) {
    return { complete: false, why: 'over-limit', head };
  }
  const reached = new Map(parts.map((part) => [part.epoch, part.head]));
  return { complete: true, messages, head, reached };
}

function idOf({ source, sequence }: SequencedMessage): string {
  return traceKey({ publisher: source.publisher, sequence });
}
