// A bucket's feed under any loss, delay, repetition and trimming of sections: what is delivered is in order,
// once, and delivered + given up = all there was.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerFeed } from '../../../src/subscriber/core/feed-broker.ts';
import type { Section } from '../../../src/protocol/publication-envelope.ts';
import { aSection } from '../../unit/broker/given.ts';

describe('BrokerFeed', () => {
  it('delivers in order and once what arrives or is repaired, and counts the rest', () => {
    const plan = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 }),
      dropped: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      repeated: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      trimmedBelow: fc.nat(300),
      mute: fc.boolean(),
    });
    fc.assert(
      fc.property(plan, ({ sizes, dropped, repeated, trimmedBelow, mute }) => {
        const delivered: number[] = [];
        let lost = 0;
        const asked: { from: number; to: number }[] = [];
        const feed = new BrokerFeed(
          {
            fromStart() {},
            deliver: (_bucket, _epoch, messages) => delivered.push(...messages.map(({ offset }) => offset)),
            lost: (_bucket, _epoch, count) => void (lost += count),
            ended: () => {},
            askHeads: () => {},
            askRange: (_bucket, from, to) => asked.push({ from, to }),
          },
          (bucket) => (bucket === 7 ? 0 : undefined),
        );
        let now = 1_000;
        feed.reply({ kind: 'heads', request: 1, epoch: 'e', upMs: 10, heads: [] }, now);
        const sections: Section[] = [];
        let head = 0;
        for (const size of sizes) {
          sections.push(aSection(7, head + 1, size));
          head += size;
        }
        const answerAll = (): void => {
          while (!mute && asked.length > 0) {
            const { from, to } = asked.shift()!;
            const firstHeld = Math.min(trimmedBelow, head) + 1;
            const first = Math.max(from, firstHeld);
            const section = aSection(7, first, Math.max(0, Math.min(to - first + 1, 15)));
            const range = { bucket: 7, firstHeldSequence: firstHeld, headSequence: head, section };
            feed.reply({ kind: 'range', request: 2, epoch: 'e', ...range }, now);
          }
        };
        sections.forEach((section, i) => {
          if (!dropped[i]) feed.envelope({ epoch: 'e', sections: [section] }, now);
          if (repeated[i]) feed.envelope({ epoch: 'e', sections: [section] }, now);
          if (i % 3 === 0) answerAll();
        });
        const heads = [{ bucket: 7, sequence: head }];
        feed.heartbeat({ broker: 'b', epoch: 'e', state: 'up', nowMs: 0, heads }, now);
        answerAll();
        for (let round = 0; round < 500; round++) {
          now += 1_100;
          feed.tick(now);
          answerAll();
        }
        expect(delivered.length + lost).toBe(head);
        expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b));
        if (!mute && trimmedBelow === 0) expect(lost).toBe(0);
        feed.heartbeat({ broker: 'b', epoch: 'e', state: 'bye', nowMs: 0, heads }, now);
        expect(feed.complete).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
