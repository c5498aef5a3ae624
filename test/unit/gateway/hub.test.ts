// What a topic's subscribers hear, and what is kept of it, as it begins and where its broker changes.

import { expect, it } from 'vitest';
import type { Group, Subscriber } from '../../../src/gateway/core/group.ts';
import { VARIANT } from '../../../src/gateway/core/group.ts';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import type { Topic } from '../../../src/gateway/core/topic.ts';
import { plainAllocate } from './plain-allocate.ts';

function newTopic() {
  const outbox = new Outbox(1);
  const deflated: number[] = [];
  const hub = new Hub({
    outbox,
    traitsOf: () => ({ flushClass: outbox.classOf(0), sendsLast: false }),
    history: { maxMessages: 10, maxBytes: 10_000, maxAgeMs: 1_000 },
    historyBudgetBytes: 100_000,
    deflate: (payload) => {
      deflated.push(payload.length);
      return undefined;
    },
    deflateFromBytes: 10,
    allocate: plainAllocate,
  });
  const topic = hub.topic('t');
  const receiveOf = (epoch: string, ...offsets: number[]): void => {
    for (const offset of offsets) {
      hub.message({ topic: 't', epoch, offset, data: Buffer.from('0'), publishedAtMs: 0 }, 0);
    }
  };
  const receive = (...offsets: number[]): void => receiveOf('e', ...offsets);
  return { hub, topic, deflated, receive, receiveOf };
}

/** A client that keeps what it is given as `epoch:offset`, where the frame names an epoch, and gaps. */
class Listener implements Subscriber {
  readonly variant: number;
  group: Group | undefined = undefined;
  indexInGroup = 0;
  position = 0;
  readonly heard: string[] = [];

  constructor(variant: number = VARIANT.gap) {
    this.variant = variant;
  }

  deliver(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]!) {
      const text = Buffer.from(bytes.subarray(at + 2, at + 2 + bytes[at + 1]!)).toString();
      const { op, e = '', o, from, n } = JSON.parse(text) as Record<string, string>;
      this.heard.push(op === 'gap' ? `gap ${e}:${from}+${n}` : `${e}:${o}`);
    }
  }
}

/** What is kept for a client that was at `offset`. */
const after = (topic: Topic, offset: number): number[] | undefined =>
  topic.history.unseen(new Map([['e', offset]]))?.map((kept) => kept.offset);

it('gives nobody what is at or below the head that subscribers were told, however late it comes', () => {
  const { hub, topic, receive } = newTopic();
  receive(50, 51);
  hub.opened(topic, { epoch: 'e', offset: 53 }, 0);
  expect(topic.position).toEqual({ epoch: 'e', offset: 53 });
  receive(52, 53);
  expect([topic.position.offset, hub.ledger.received]).toEqual([53, 2]);
  receive(54);
  expect(topic.position).toEqual({ epoch: 'e', offset: 54 });
  expect([after(topic, 53), after(topic, 52)]).toEqual([[54], undefined]);
});

it('goes on from what came, where the brokers named an older head', () => {
  const { hub, topic, receive } = newTopic();
  receive(50, 51, 52);
  hub.opened(topic, { epoch: 'e', offset: 51 }, 0);
  expect(topic.position).toEqual({ epoch: 'e', offset: 52 });
  receive(53);
  expect([after(topic, 51), after(topic, 50)]).toEqual([[52, 53], undefined]);
});

it('names the epoch in the first message after each change of it, gaps of another one included', () => {
  const { hub, topic, receiveOf } = newTopic();
  hub.opened(topic, { epoch: 'e', offset: 4 }, 0);
  const listener = new Listener();
  hub.subscribe(listener, [topic]);
  receiveOf('e', 5, 6);
  receiveOf('f', 1, 2);
  hub.gap({ topic: 't', epoch: 'e', fromOffset: 7, count: 2, why: 'trimmed' }, 0);
  receiveOf('f', 3, 4);
  hub.catchUp(listener);
  expect(listener.heard).toEqual(['e:5', ':6', 'f:1', ':2', 'gap e:7+2', 'f:3', ':4']);
});

it('goes on behind a counted gap, also of an epoch that is over', () => {
  const { hub, topic, receiveOf } = newTopic();
  hub.opened(topic, { epoch: 'e', offset: 0 }, 0);
  receiveOf('e', 1, 2);
  hub.gap({ topic: 't', epoch: 'e', fromOffset: 3, count: 4, why: 'trimmed' }, 0);
  expect(topic.position).toEqual({ epoch: 'e', offset: 6 });
  expect([after(topic, 5), after(topic, 6)]).toEqual([undefined, []]);
  receiveOf('e', 7);
  receiveOf('f', 1);
  hub.gap({ topic: 't', epoch: 'e', fromOffset: 8, count: 1, why: 'trimmed' }, 500);
  expect(topic.position).toEqual({ epoch: 'f', offset: 1 });
  expect(topic.history.isPastHole({ epoch: 'f', offset: 1 }, 600)).toBe(true);
  const unseen = (e: number): unknown =>
    topic.history.unseen(
      new Map([
        ['f', 1],
        ['e', e],
      ]),
    );
  expect([unseen(7), unseen(8)]).toEqual([undefined, []]);
});

it('tells who has had nothing of an epoch of a loss in it, unless that was long before', () => {
  const { hub, topic, receiveOf } = newTopic();
  hub.opened(topic, { epoch: 'e', offset: 0 }, 0);
  receiveOf('e', 1);
  hub.gap({ topic: 't', epoch: 'd', fromOffset: 1, count: 3, why: 'trimmed' }, 500);
  const seen = new Map([['e', 1]]);
  expect(topic.history.unseen(seen, 499)).toBeUndefined();
  expect(topic.history.unseen(seen, 500)).toEqual([]);
  // To be told of a loss is no message: it says nothing of what else a client has had.
  expect(topic.history.passedMs({ epoch: 'd', offset: 3 })).toBe(-Infinity);
});

it('tells a gap to those who know gaps, and counts it for everybody', () => {
  const { hub, topic } = newTopic();
  hub.opened(topic, { epoch: 'e', offset: 4 }, 0);
  const [knows, knowsToo, knowsNot] = [new Listener(), new Listener(), new Listener(0)];
  for (const one of [knows, knowsToo, knowsNot]) hub.subscribe(one, [topic]);
  hub.gap({ topic: 't', epoch: 'e', fromOffset: 5, count: 3, why: 'trimmed' }, 0);
  for (const one of [knows, knowsNot]) hub.catchUp(one);
  expect([knows.heard, knowsNot.heard]).toEqual([['gap e:5+3'], []]);
  expect(hub.ledger).toMatchObject({ gapMessages: 9, gapFrames: 2, due: 2, delivered: 1 });
});

it('compresses a message once for all who inflate, from a size on, and none while it is told not to', () => {
  const { hub, topic, deflated } = newTopic();
  const publish = (offset: number, bytes: number): void =>
    hub.message({ topic: 't', epoch: 'e', offset, data: Buffer.alloc(bytes, '0'), publishedAtMs: 0 }, 0);
  publish(1, 10);
  const { deflate, gap } = VARIANT;
  for (const variant of [deflate, deflate | gap, gap]) hub.subscribe(new Listener(variant), [topic]);
  publish(2, 9);
  publish(3, 10);
  expect(deflated).toHaveLength(1);
  hub.compressing = false;
  publish(4, 10);
  expect(deflated).toHaveLength(1);
  expect(hub.ledger).toMatchObject({ received: 4, unheard: 1, due: 9 });
});

it('lets go of old messages of a topic in which nothing is published any more', () => {
  const { hub, topic, receive } = newTopic();
  hub.use(topic);
  receive(1);
  hub.sweep(1_000, 0);
  expect(topic.history.messages).toBe(1);
  hub.sweep(1_001, 0);
  expect([topic.history.messages, hub.historyBytes, hub.topicCount]).toEqual([0, 0, 1]);
});
