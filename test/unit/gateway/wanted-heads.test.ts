// Which broker is asked where a topic stands, and what those hear who wait for it.

import { expect, it } from 'vitest';
import type { TopicPosition } from '../../../src/gateway/core/feed-port.ts';
import { TopicOwners } from '../../../src/gateway/feed/topic-owners.ts';
import { WantedHeads } from '../../../src/gateway/feed/wanted-heads.ts';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { rankAllBuckets } from '../../../src/protocol/bucket-owner.ts';
import type { RepairReply, TopicAnswer } from '../../../src/protocol/publication-repair.ts';
import type { BrokerConnection } from '../../../src/subscriber/broker-connection.ts';
import type { StandIn } from '../../../src/subscriber/core/recover-epoch.ts';
import { anAddress } from '../broker/given.ts';

const NOWHERE = { epoch: '', offset: 0 };

/** A broker that answers when it is told to. */
function slowBroker() {
  const asked: string[][] = [];
  let settle: (reply: RepairReply | undefined) => void = () => {};
  const broker: StandIn = {
    id: 'b',
    question(build) {
      const request = build(1);
      asked.push(request.kind === 'topics' ? request.queries.map(({ topic }) => topic) : []);
      return new Promise((resolve) => (settle = resolve));
    },
  };
  const answer = (...heads: [string, number][]): void => {
    const answers = heads.map(([topic, headOffset]): TopicAnswer => ({
      topic,
      status: 'complete',
      headOffset,
      ownOffset: 0,
      messages: [],
    }));
    settle({ request: 1, epoch: 'e', kind: 'topics', answers });
  };
  return { broker, asked, answer, stayAway: () => settle(undefined) };
}

it('asks once for all who wait, and tells a head before them', async () => {
  const { broker, asked, answer } = slowBroker();
  const told: unknown[] = [];
  const heads = new WantedHeads(
    () => broker,
    (topic, head) => told.push([topic, head]),
  );
  const waiting = [heads.of('a', 100), heads.of('a', 200), heads.of('b', 100)];
  for (const one of waiting) void one.then((head) => told.push(head));
  heads.ask();
  heads.ask();
  expect(asked).toEqual([['a', 'b']]);
  expect(heads.isEmpty).toBe(true);
  answer(['a', 7]);
  const seven = { epoch: 'e', offset: 7 };
  expect(await Promise.all(waiting)).toEqual([seven, seven, NOWHERE]);
  expect(told[0]).toEqual(['a', seven]);
  expect(told).toHaveLength(4);
});

it('waits for an owner until its time is up, and names no head that nobody told', async () => {
  const { broker, asked, stayAway } = slowBroker();
  const owners: StandIn[] = [];
  const found: string[] = [];
  const heads = new WantedHeads(
    () => owners[0],
    (topic) => found.push(topic),
  );
  const settled: TopicPosition[] = [];
  void heads.of('a', 100).then((head) => settled.push(head));
  heads.ask();
  heads.expire(99);
  expect(heads.isEmpty).toBe(false);
  heads.expire(100);
  await Promise.resolve();
  expect([settled, heads.isEmpty, asked]).toEqual([[NOWHERE], true, []]);
  owners.push(broker);
  const unanswered = heads.of('a', 200);
  heads.ask();
  stayAway();
  expect(await unanswered).toEqual(NOWHERE);
  expect(found).toEqual([]);
});

it('asks the first in rank that is there, and none while one before it may be about to be', () => {
  const addresses = ['x', 'y', 'z'].map(anAddress);
  const ranked = rankAllBuckets(addresses)[bucketOf('t')]!;
  const state = new Map<string, { connected: boolean; arriving: boolean }>();
  const owners = new TopicOwners((id) => state.get(id) as BrokerConnection | undefined);
  const owner = (...states: ('up' | 'arriving' | 'down')[]): string | undefined => {
    ranked.forEach((id, i) =>
      state.set(id, { connected: states[i] === 'up', arriving: states[i] === 'arriving' }),
    );
    const found = owners.of('t');
    return ranked.find((id) => state.get(id) === found);
  };
  expect(owner('up', 'up', 'up')).toBeUndefined();
  owners.setBrokers(addresses);
  expect(owner('up', 'up', 'up')).toBe(ranked[0]);
  expect(owner('down', 'up', 'up')).toBe(ranked[1]);
  expect(owner('arriving', 'up', 'up')).toBeUndefined();
  expect(owner('down', 'down', 'down')).toBeUndefined();
});
