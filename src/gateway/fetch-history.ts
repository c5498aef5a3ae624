// (7) -> (8) Everything of a topic since a position, whoever has it: the broker that gave the position, where it
// is gone one that kept a copy of its stream, and then the broker that owns the topic now.

import type { RepairReply } from '../protocol/publication-repair.ts';
import type { BrokerConnection } from '../subscriber/broker-connection.ts';
import { historyOf, joinHistories, NOWHERE, topicQuery } from './core/feed-history.ts';
import type { FetchedHistory, FetchLimits, TopicPosition } from './core/feed-port.ts';

type TopicsReply = Extract<RepairReply, { kind: 'topics' }>;

export async function fetchHistory(
  topic: string,
  position: TopicPosition,
  limits: FetchLimits,
  owner: BrokerConnection,
  all: Iterable<BrokerConnection>,
): Promise<FetchedHistory> {
  const ask = async (
    from: BrokerConnection,
    want: 'since' | 'held',
    after: TopicPosition,
    of = after.epoch,
  ): Promise<TopicsReply | undefined> => {
    const reply = await from.question((request) => ({
      request,
      kind: 'topics',
      of,
      ...limits,
      queries: [topicQuery(topic, want, after)],
    }));
    return reply?.kind === 'topics' ? reply : undefined;
  };
  const own = async (from: BrokerConnection, offset: number): Promise<FetchedHistory> =>
    historyOf(await ask(from, 'since', { epoch: from.epoch, offset }));

  if (position.epoch === '') return historyOf(await ask(owner, 'held', NOWHERE));
  if (position.epoch === owner.epoch) return historyOf(await ask(owner, 'since', position));

  const others = [...all].filter((one) => one.connected && one !== owner);
  const giver = others.find(({ epoch }) => epoch === position.epoch);
  const copyOfOwner = await ask(owner, 'since', position);
  const parts: FetchedHistory[] = [];
  if (giver) parts.push(historyOf(await ask(giver, 'since', position)));
  else if (copyOfOwner && isComplete(copyOfOwner)) parts.push(historyOf(copyOfOwner));
  else {
    const kept = await firstComplete(others, (one) => ask(one, 'since', position));
    // Nobody knows that life any more: at least where the topic stands now.
    if (!kept) return historyOf(copyOfOwner ?? (await ask(owner, 'since', position, '')));
    // It may have carried the topic itself for a while, before the owner of now.
    parts.push(historyOf(kept.reply), await own(kept.from, ownOffset(kept.reply)));
  }
  parts.push(await own(owner, ownOffset(copyOfOwner)));
  return parts.find(({ complete }) => !complete) ?? joinHistories(parts, limits);
}

/** Where the topic stood in the answering broker's own epoch when the position passed; 0 when it cannot say. */
function ownOffset(reply: TopicsReply | undefined): number {
  return reply && isComplete(reply) ? reply.answers[0]!.ownOffset : 0;
}

function isComplete(reply: TopicsReply): boolean {
  return reply.answers[0]?.status === 'complete';
}

async function firstComplete(
  list: readonly BrokerConnection[],
  ask: (one: BrokerConnection) => Promise<TopicsReply | undefined>,
): Promise<{ from: BrokerConnection; reply: TopicsReply } | undefined> {
  for (const from of list) {
    const reply = await ask(from);
    if (reply && isComplete(reply)) return { from, reply };
  }
  return undefined;
}
