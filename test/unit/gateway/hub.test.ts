// A topic that a gateway has just begun to listen to, while its messages are on their way.

import { expect, it } from 'vitest';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import type { Topic } from '../../../src/gateway/core/topic.ts';
import { plainAllocate } from '../../../src/gateway/core/ws-frame.ts';

function newTopic(): { hub: Hub; topic: Topic; receive: (...offsets: number[]) => void } {
  const outbox = new Outbox(1);
  const hub = new Hub({
    outbox,
    traitsOf: () => ({ flushClass: outbox.classOf(0), sendsLast: false }),
    history: { maxMessages: 10, maxBytes: 10_000, maxAgeMs: 1_000 },
    historyBudgetBytes: 100_000,
    deflate: () => undefined,
    deflateFromBytes: 1_000,
    allocate: plainAllocate,
  });
  const topic = hub.topic('t');
  const receive = (...offsets: number[]): void => {
    for (const offset of offsets) {
      hub.message({ topic: 't', epoch: 'e', offset, data: Buffer.from('0'), publishedAtMs: 0 }, 0);
    }
  };
  return { hub, topic, receive };
}
const held = (topic: Topic): number[] =>
  (topic.history.unseen(new Map([['e', topic.openedAt.offset]])) ?? []).map(({ offset }) => offset);

it('gives nobody what is at or below the head that subscribers were told, however late it comes', () => {
  const { hub, topic, receive } = newTopic();
  receive(50, 51);
  hub.opened(topic, { epoch: 'e', offset: 53 }, 0);
  expect(topic.position).toEqual({ epoch: 'e', offset: 53 });
  receive(52, 53);
  expect([topic.position.offset, hub.ledger.received]).toEqual([53, 2]);
  receive(54);
  expect(topic.position).toEqual({ epoch: 'e', offset: 54 });
  expect(held(topic)).toEqual([54]);
});

it('goes on from what came, where the brokers named an older head', () => {
  const { hub, topic, receive } = newTopic();
  receive(50, 51, 52);
  hub.opened(topic, { epoch: 'e', offset: 51 }, 0);
  expect(topic.position).toEqual({ epoch: 'e', offset: 52 });
  receive(53);
  expect(held(topic)).toEqual([52, 53]);
});
