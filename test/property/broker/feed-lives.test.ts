// A broker that is restarted while a gateway asks it for what it missed: what was asked of one life may reach the
// next. The real memory of the broker, its real answers and the gateway's feed, between channels that lose
// envelopes and delay questions.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import type { Envelope, Section } from '../../../src/protocol/publication-envelope.ts';
import type { RepairReply, RepairRequest } from '../../../src/protocol/publication-repair.ts';
import { BrokerFeed } from '../../../src/subscriber/core/feed-broker.ts';

const BUCKET = bucketOf('t');
const MAX_SILENCE_MS = 1_500;

type Step =
  | { kind: 'publish'; count: number; isDropped: boolean }
  | { kind: 'envelope' }
  | { kind: 'question' }
  | { kind: 'answer' }
  | { kind: 'heartbeat' }
  | { kind: 'tick'; ms: number }
  | { kind: 'restart'; answersArrive: boolean };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 30 }),
      isDropped: fc.boolean(),
    }),
    fc.constant<Step>({ kind: 'envelope' }),
    fc.constant<Step>({ kind: 'question' }),
    fc.constant<Step>({ kind: 'answer' }),
    fc.constant<Step>({ kind: 'heartbeat' }),
    fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ kind: fc.constant('restart' as const), answersArrive: fc.boolean() }),
  ),
  { minLength: 5, maxLength: 60 },
);

class World {
  readonly #feed: BrokerFeed;
  /** Sequences that were delivered, by life. */
  readonly delivered = new Map<string, number[]>();
  readonly lost: string[] = [];
  #nowMs = 60_000;
  #carriedAgoMs = 0;
  #lives = 0;
  #published = 0;
  /** As sent: what lies in the gateway's socket outlives the broker. */
  #envelopes: Envelope[] = [];
  #questions: RepairRequest[] = [];
  #answers: RepairReply[] = [];
  #core = this.#newLife();

  constructor() {
    const feed = new BrokerFeed(
      {
        fromStart() {},
        deliver: (_bucket, epoch, messages, first) =>
          void this.delivered.set(epoch, [
            ...(this.delivered.get(epoch) ?? []),
            ...messages.map((_, i) => first + i),
          ]),
        lost: (_bucket, epoch, count, why) => void this.lost.push(`${epoch} ${count} ${why}`),
        // Whoever kept a copy gives the rest.
        ended: () => {},
        askHeads: () =>
          void this.#questions.push({ request: 1, kind: 'heads', of: '', interest: emptyBucketSet() }),
        askRange: (bucket, fromSequence, toSequence) =>
          void this.#questions.push({
            request: 2,
            kind: 'range',
            of: feed.epoch,
            bucket,
            fromSequence,
            toSequence,
          }),
      },
      (bucket) => (bucket === BUCKET ? 0 : undefined),
    );
    this.#feed = feed;
    feed.refresh(this.#nowMs);
  }

  get epoch(): string {
    return this.#core.epoch;
  }

  get head(): number {
    return this.#core.heads()[0]?.sequence ?? 0;
  }

  do(step: Step): void {
    this.#nowMs += 1;
    switch (step.kind) {
      case 'publish': {
        this.#publish(step.count, step.isDropped);
        return;
      }
      case 'envelope': {
        const envelope = this.#envelopes.shift();
        if (envelope) this.#feed.envelope(envelope, this.#nowMs);
        return;
      }
      case 'question': {
        const question = this.#questions.shift();
        if (question) this.#answers.push(this.#core.answer(question, emptyBucketSet(), this.#nowMs));
        return;
      }
      case 'answer': {
        const answer = this.#answers.shift();
        if (answer) this.#feed.reply(answer, this.#nowMs);
        return;
      }
      case 'heartbeat': {
        // By the same socket as the envelopes.
        while (this.#envelopes.length > 0) this.do({ kind: 'envelope' });
        const heads = this.#core.heads();
        this.#feed.heartbeat(
          { broker: 'b', epoch: this.#core.epoch, state: 'up', nowMs: 0, heads },
          this.#nowMs,
        );
        return;
      }
      case 'tick':
        this.#nowMs += step.ms;
        this.#feed.tick(this.#nowMs);
        this.#carriedAgoMs += step.ms;
        // A broker that answers nothing for 5 s is given up, and rightly so.
        if (this.#carriedAgoMs > MAX_SILENCE_MS) this.#carry();
        return;
      case 'restart':
        while (step.answersArrive && this.#answers.length > 0) this.do({ kind: 'answer' });
        this.#answers = [];
        this.#core = this.#newLife();
        // Connected again: it asks before it knows that this is another life.
        this.#feed.refresh(this.#nowMs);
        this.#feed.tick(this.#nowMs);
        return;
    }
  }

  /** Everything gets through from now on. */
  settle(): void {
    for (let i = 0; i < 40; i++) {
      this.do({ kind: 'heartbeat' });
      this.#carry();
      this.do({ kind: 'tick', ms: 300 });
    }
  }

  /** All that was asked is answered. */
  #carry(): void {
    this.#carriedAgoMs = 0;
    for (let i = 0; i < 20; i++) {
      this.do({ kind: 'question' });
      this.do({ kind: 'answer' });
    }
  }

  #newLife(): BrokerCore {
    return new BrokerCore(`life-${++this.#lives}`, 'main', this.#nowMs, DEFAULT_BROKER_LIMITS);
  }

  #publish(count: number, isDropped: boolean): void {
    const from = this.head + 1;
    const messages = Array.from({ length: count }, () => ({
      topic: 't',
      data: Buffer.from('1'),
      source: { publisher: 'p', origin: '', hop: 0 },
      sequence: ++this.#published,
      flags: 0,
      publishedAtMs: 0,
    }));
    this.#core.accept({ batch: 1, messages }, this.#nowMs);
    if (isDropped) return;
    this.#envelopes.push({ epoch: this.#core.epoch, sections: [this.#sectionFrom(from)] });
  }

  #sectionFrom(fromSequence: number): Section {
    const range = { request: 0, kind: 'range', of: '', bucket: BUCKET, fromSequence } as const;
    const reply = this.#core.answer({ ...range, toSequence: this.head }, emptyBucketSet(), this.#nowMs);
    if (reply.kind !== 'range') throw new Error('a range was asked for');
    return reply.section;
  }
}

it('hears all of the life that lasts, in order, whatever was asked of those before', () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const world = new World();
      for (const step of plan) world.do(step);
      world.do({ kind: 'publish', count: 3, isDropped: false });
      world.settle();
      const all = Array.from({ length: world.head }, (_, i) => i + 1);
      expect(world.delivered.get(world.epoch)).toEqual(all);
      expect(world.lost).toEqual([]);
      // What comes now is live: it is passed on at once.
      world.do({ kind: 'publish', count: 1, isDropped: false });
      world.do({ kind: 'envelope' });
      expect(world.delivered.get(world.epoch)!.at(-1)).toBe(world.head);
    }),
    { numRuns: 2_000 },
  );
});
