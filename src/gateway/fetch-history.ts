// (7) -> (8) Everything of a topic since a position, whoever has it: the broker that gave the position, where it
// is gone one that kept a copy of its stream, and then the broker that owns the topic now.

import { bucketOf } from '../protocol/bucket.ts';
import type { RepairReply } from '../protocol/publication-repair.ts';
import type { BrokerConnection } from '../subscriber/broker-connection.ts';
import { historyOf, joinHistories, NOWHERE, topicQuery } from './core/feed-history.ts';
import type { FetchedHistory, FetchLimits, TopicPosition } from './core/feed-port.ts';

type TopicsReply = Extract<RepairReply, { kind: 'topics' }>;

type Want = 'head' | 'since' | 'held';

export async function fetchHistory(
  topic: string,
  position: TopicPosition,
  limits: FetchLimits,
  owner: BrokerConnection,
  all: Iterable<BrokerConnection>,
): Promise<FetchedHistory> {
  const question = (
    from: BrokerConnection,
    want: Want,
    after: TopicPosition,
    of = after.epoch,
  ): Promise<RepairReply | undefined> =>
    from.question((request) => ({
      request,
      kind: 'topics',
      of,
      ...limits,
      queries: [topicQuery(topic, want, after)],
    }));
  const ask = async (...asked: Parameters<typeof question>): Promise<TopicsReply | undefined> => {
    const reply = await question(...asked);
    return reply?.kind === 'topics' ? reply : undefined;
  };
  const own = async (from: BrokerConnection, offset: number): Promise<FetchedHistory> =>
    historyOf(await ask(from, 'since', { epoch: from.epoch, offset }));

  if (position.epoch === '') return historyOf(await ask(owner, 'held', NOWHERE));

  const others = [...all].filter((one) => one.connected && one !== owner);
  const giver = [owner, ...others].find(({ epoch }) => epoch === position.epoch);
  if (giver) {
    /** A broker that froze for some seconds had its topics carried by another, also when it has them back. */
    const carriedBy = async (one: BrokerConnection): Promise<FetchedHistory | undefined> => {
      const passed = await question(one, 'head', position);
      if (passed?.kind === 'topics' && isComplete(passed)) return own(one, ownOffset(passed));
      // It was frozen itself, or it is long ago: then the giver knows how far the other was, from its own copy.
      const [last] = (await ask(giver, 'head', NOWHERE, one.epoch))?.answers ?? [];
      if (last && last.ownOffset < position.offset) {
        // One that does not answer is frozen, and carries nothing beyond what the giver has heard of it.
        return passed ? own(one, last.headOffset) : undefined;
      }
      return last || one === owner ? own(one, 0) : undefined;
    };
    const since = ask(giver, 'since', position).then(historyOf);
    const bucket = bucketOf(topic);
    const carried = [...others, owner]
      .filter((one) => one !== giver && one.mayHaveCarried(bucket))
      .map(carriedBy);
    const [first, ...rest] = await Promise.all([since, ...carried]);
    const between = rest.filter((part) => part !== undefined);
    // The owner's own part comes last: from there the topic goes on.
    const parts = giver === owner ? [...between, first] : [first, ...between];
    return parts.find(({ complete }) => !complete) ?? joinHistories(parts, limits);
  }

  const copyOfOwner = await ask(owner, 'since', position);
  const parts: FetchedHistory[] = [];
  if (copyOfOwner && isComplete(copyOfOwner)) parts.push(historyOf(copyOfOwner));
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
