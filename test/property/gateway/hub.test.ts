// Whatever clients and brokers do in whatever order, each subscriber gets exactly the messages of its topics
// from its subscription on, in order, and the ledger adds up.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flush } from '../../../src/gateway/core/flush.ts';
import type { Group, Subscriber } from '../../../src/gateway/core/group.ts';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { plainAllocate } from '../../unit/gateway/plain-allocate.ts';

const TOPICS = ['a', 'b', 'c', 'd'];

class Listener implements Subscriber {
  variant = 0;
  group: Group | undefined = undefined;
  indexInGroup = 0;
  position = 0;
  readonly got: string[] = [];
  readonly expected: string[] = [];

  deliver(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const length = bytes[at + 1]!;
      const frame = JSON.parse(Buffer.from(bytes.subarray(at + 2, at + 2 + length)).toString()) as {
        c: string;
        o: number;
      };
      this.got.push(`${frame.c}${frame.o}`);
      at += 2 + length;
    }
  }
}

const client = fc.integer({ min: 0, max: 5 });
const topics = fc.uniqueArray(fc.constantFrom(...TOPICS), { minLength: 1 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish' as const), topic: fc.constantFrom(...TOPICS) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('subscribe' as const), client, topics }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), client, topics }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), client }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('flush' as const), writes: fc.integer({ min: 1, max: 3 }) }),
  },
);

describe('the hub', () => {
  it('delivers to each subscriber exactly what it is subscribed to, in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const outbox = new Outbox(0.5);
        const hub = new Hub({
          outbox,
          traitsOf: (topic) => ({ flushClass: outbox.classOf(topic === 'a' ? 0 : 10), sendsLast: false }),
          history: { maxMessages: 10, maxBytes: 10_000, maxAgeMs: 1_000 },
          historyBudgetBytes: 100_000,
          deflate: () => undefined,
          deflateFromBytes: 1_000,
          allocate: plainAllocate,
        });
        const listeners = Array.from({ length: 6 }, () => new Listener());
        const offsets = new Map<string, number>();
        let nowMs = 0;
        const flush = new Flush(outbox);
        const write = (writes: number): void => {
          if (flush.group) flush.letQuickerPass(nowMs);
          else flush.begin(nowMs);
          const { group } = flush;
          if (!group) return;
          if (!group.flushing && group.hasPending) group.begin();
          if (hub.write(group, writes)) flush.written(nowMs);
        };
        for (const one of steps) {
          nowMs += 1;
          switch (one.do) {
            case 'publish': {
              const offset = (offsets.get(one.topic) ?? 0) + 1;
              offsets.set(one.topic, offset);
              for (const listener of listeners) {
                if (listener.group?.topics.some(({ name }) => name === one.topic)) {
                  listener.expected.push(`${one.topic}${offset}`);
                }
              }
              hub.message(
                { topic: one.topic, epoch: 'e', offset, data: new Uint8Array([0x30]), publishedAtMs: 0 },
                nowMs,
              );
              break;
            }
            case 'subscribe':
              hub.subscribe(
                listeners[one.client]!,
                one.topics.map((name) => hub.topic(name)),
              );
              break;
            case 'unsubscribe':
              hub.unsubscribe(listeners[one.client]!, one.topics, nowMs);
              break;
            case 'drop': {
              const listener = listeners[one.client]!;
              hub.drop(listener, 'closed', nowMs);
              listener.expected.length = listener.got.length;
              break;
            }
            case 'flush':
              write(one.writes);
          }
          for (const { got, expected } of listeners) expect(expected.slice(0, got.length)).toEqual(got);
        }
        nowMs += 1_000_000;
        while (flush.group || outbox.dueMs() < Infinity) write(100);
        for (const { got, expected } of listeners) expect(got).toEqual(expected);
        const { due, delivered, dropped } = hub.ledger;
        expect(delivered + dropped.closed + dropped['slow-consumer']).toBe(due);
        for (const listener of listeners) hub.drop(listener, 'closed', nowMs);
        expect([hub.subscriptions, hub.groupCount]).toEqual([0, 0]);
        hub.sweep(nowMs + 1, 0);
        expect([hub.topicCount, hub.historyBytes]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
