// A publisher's outbox against brokers that come, go, ack late, drain and die, in any order: every message is
// settled once, none is forgotten, and each bucket's messages reach a broker in the order of publishing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishBatch } from '../../../src/protocol/publication.ts';
import { DEFAULT_OUTBOX_LIMITS, Outbox } from '../../../src/publisher/core/outbox.ts';
import { anAddress } from '../../unit/broker/given.ts';

const source = { publisher: 'p', origin: '', hop: 0 };
const ids = ['b1', 'b2', 'b3'];

type Step =
  | { kind: 'publish'; topic: number }
  | { kind: 'up' | 'down' | 'leave' | 'send' | 'ack' | 'turnAway'; broker: number }
  | { kind: 'wait'; ms: number };

const broker = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), topic: fc.nat(4) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('send' as const, 'ack' as const), broker }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('up' as const, 'down' as const, 'leave' as const, 'turnAway' as const),
      broker,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
);

describe('Outbox', () => {
  it('settles every message once and keeps the order of each topic', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const outbox = new Outbox(DEFAULT_OUTBOX_LIMITS);
        outbox.setBrokers(ids.map(anAddress), 0);
        const flying = new Map<string, PublishBatch[]>(ids.map((id) => [id, []]));
        const acceptedOnce = new Map<string, number[]>();
        const settled = new Map<number, number>();
        let now = 0;
        let published = 0;
        const send = (id: string): void => {
          const batch = outbox.takeBatch(id, now);
          if (batch) flying.get(id)!.push(batch);
        };
        const ack = (id: string): void => {
          const batch = flying.get(id)!.shift();
          if (!batch) return;
          for (const { topic, sequence } of batch.messages) {
            const had = acceptedOnce.get(topic) ?? [];
            if (!had.includes(sequence)) had.push(sequence);
            acceptedOnce.set(topic, had);
          }
          outbox.acked(id, { batch: batch.batch, status: 'taken', refused: [] }, now);
        };
        const gone = (id: string): void => {
          flying.set(id, []);
          outbox.laneDown(id, now);
        };
        for (const one of steps) {
          if (one.kind === 'publish') {
            const sequence = published++;
            outbox.add({
              topic: `t.${one.topic}`,
              data: new Uint8Array(),
              source,
              sequence,
              flags: 0,
              publishedAtMs: 0,
              deadlineMs: Infinity,
              settle: () => settled.set(sequence, (settled.get(sequence) ?? 0) + 1),
            });
          } else if (one.kind === 'wait') {
            now += one.ms;
            for (const id of outbox.tick(now)) flying.set(id, []);
          } else {
            const id = ids[one.broker]!;
            if (one.kind === 'up') outbox.laneUp(id, now);
            else if (one.kind === 'down') gone(id);
            else if (one.kind === 'leave') outbox.laneLeaving(id, now);
            else if (one.kind === 'send') send(id);
            else if (one.kind === 'ack') ack(id);
            else {
              const batch = flying.get(id)!.shift();
              if (batch) outbox.acked(id, { batch: batch.batch, status: 'draining', refused: [] }, now);
            }
          }
        }
        // In the end all brokers are well: everything gets through.
        for (const id of ids) {
          gone(id);
          outbox.laneUp(id, now);
        }
        for (let round = 0; round < 400 && (outbox.open > 0 || round < 20); round++) {
          for (const id of ids) {
            send(id);
            ack(id);
          }
        }
        expect(outbox.open).toBe(0);
        expect(outbox.resending).toBe(0);
        expect(settled.size).toBe(published);
        expect([...settled.values()].every((times) => times === 1)).toBe(true);
        for (const sequences of acceptedOnce.values()) {
          expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
        }
      }),
      { numRuns: 500 },
    );
  });
});
