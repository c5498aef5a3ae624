import { describe, expect, it } from 'vitest';
import { MESSAGE_FLAG, PUBLICATION_LIMITS } from '../../../src/protocol/publication.ts';
import type { BatchAck, PublishBatch } from '../../../src/protocol/publication.ts';
import type { OutboxLimits } from '../../../src/publisher/core/outbox.ts';
import { DEFAULT_OUTBOX_LIMITS, Outbox } from '../../../src/publisher/core/outbox.ts';
import { PublishError } from '../../../src/publisher/publisher-errors.ts';
import { anAddress } from '../broker/given.ts';

const only = anAddress('b1');
const source = { publisher: 'p', origin: '', hop: 0 };
const DEADLINE_MS = 10_000;

function outboxWith(limits: Partial<OutboxLimits> = {}): {
  outbox: Outbox;
  publish: (nowMs: number, bytes?: number) => void;
  outcomes: string[];
  sent: boolean[];
} {
  const outbox = new Outbox({ ...DEFAULT_OUTBOX_LIMITS, ...limits });
  outbox.setBrokers([only], 0);
  outbox.laneUp('b1', 0);
  const outcomes: string[] = [];
  const sent: boolean[] = [];
  let sequence = 0;
  return {
    outbox,
    outcomes,
    sent,
    publish(nowMs, bytes = 1) {
      outbox.add({
        topic: 't',
        data: new Uint8Array(bytes),
        source,
        sequence: sequence++,
        flags: 0,
        publishedAtMs: 0,
        deadlineMs: nowMs + DEADLINE_MS,
        settle(outcome, wasSent) {
          outcomes.push(outcome);
          sent.push(wasSent);
        },
      });
    },
  };
}

/** Sends all that waits and has it acked. */
function passAll(outbox: Outbox, nowMs: number): PublishBatch['messages'] {
  const passed: PublishBatch['messages'] = [];
  for (let batch = outbox.takeBatch('b1', nowMs); batch; batch = outbox.takeBatch('b1', nowMs)) {
    passed.push(...batch.messages);
    outbox.acked('b1', { batch: batch.batch, status: 'taken', refused: [] }, nowMs);
  }
  return passed;
}

describe('what waits for its ack', () => {
  it('is bounded by bytes, and makes room when it is acked', () => {
    const { outbox, publish } = outboxWith({ maxQueuedBytes: 3_500 });
    for (let i = 0; i < 5; i++) publish(0, 1_000);
    expect(outbox.open).toBe(2);
    expect(passAll(outbox, 0).map(({ sequence }) => sequence)).toEqual([0, 1]);
    for (let i = 0; i < 5; i++) publish(0, 1_000);
    expect(outbox.open).toBe(2);
    outbox.tick(DEADLINE_MS);
    publish(DEADLINE_MS, 3_000);
    expect(outbox.open).toBe(1);
  });

  it('is on its way to a broker in so many batches at most', () => {
    const { outbox, publish } = outboxWith({ batchesInFlight: 2 });
    const batches = [0, 1, 2].map((nowMs) => {
      publish(nowMs);
      return outbox.takeBatch('b1', nowMs)?.batch;
    });
    expect(batches).toEqual([1, 2, undefined]);
  });

  it('says that it was sent before when its broker is gone, and counts once if that one answers late', () => {
    const { outbox, publish, outcomes } = outboxWith();
    publish(0);
    const first = outbox.takeBatch('b1', 0)!;
    outbox.laneDown('b1', 100);
    expect(outbox.tick(DEFAULT_OUTBOX_LIMITS.ackTimeoutMs + 1)).toEqual([]);
    outbox.acked('b1', { batch: first.batch, status: 'taken', refused: [] }, 3_000);
    expect(outcomes).toEqual([]);
    outbox.laneUp('b1', 3_000);
    expect(passAll(outbox, 3_000).map(({ flags }) => flags)).toEqual([MESSAGE_FLAG.resent]);
    expect(outcomes).toEqual(['acked']);
  });
});

describe('a topic whose broker changes', () => {
  /** Of two brokers, the one that has the topic and the one that stands in. */
  const twoBrokers = (limits: Partial<OutboxLimits> = {}) => {
    const made = outboxWith(limits);
    made.outbox.setBrokers([only, anAddress('b2')], 0);
    made.outbox.laneUp('b2', 0);
    made.publish(0);
    const [owner] = made.outbox.ready() as [string];
    return { ...made, owner, other: owner === 'b1' ? 'b2' : 'b1' };
  };
  const draining = (batch: number): BatchAck => ({ batch, status: 'draining', refused: [] });

  it('goes on in the order of publishing, whatever of it the old one hands back first', () => {
    const { outbox, publish, owner, other } = twoBrokers();
    const first = outbox.takeBatch(owner, 0)!;
    publish(1);
    const second = outbox.takeBatch(owner, 1)!;
    publish(2);
    for (const { batch } of [first, second]) outbox.acked(owner, draining(batch), 3);
    expect(outbox.takeBatch(other, 4)?.messages.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
  });

  it('sends nothing again of what one that said it was leaving had acked', () => {
    const { outbox, owner } = twoBrokers();
    const { batch } = outbox.takeBatch(owner, 0)!;
    outbox.acked(owner, { batch, status: 'taken', refused: [] }, 1);
    outbox.laneLeaving(owner, 2);
    outbox.laneDown(owner, 3);
    expect(outbox).toMatchObject({ resending: 0, resent: 0, open: 0 });
  });

  it('does not wait for what was given up', () => {
    const { outbox, publish, owner, other } = twoBrokers({ batchesInFlight: 0 });
    outbox.tick(DEADLINE_MS);
    expect(outbox.open).toBe(0);
    outbox.laneLeaving(owner, DEADLINE_MS);
    publish(DEADLINE_MS);
    expect(outbox.ready()).toEqual([other]);
  });
});

describe('what is given up', () => {
  it('is told from what never left', () => {
    const { outbox, publish, outcomes, sent } = outboxWith();
    publish(0);
    outbox.takeBatch('b1', 0);
    publish(0);
    outbox.laneDown('b1', 0);
    outbox.tick(DEADLINE_MS);
    expect({ outcomes, sent }).toEqual({ outcomes: ['timeout', 'timeout'], sent: [true, false] });
  });

  it.each([
    ['timeout', true, 'news: no broker acked it in time; it may have been delivered'],
    ['timeout', false, 'news: no broker acked it in time; it was not sent'],
    ['closed', false, 'news: the publisher was closed before a broker acked it; it was not sent'],
    ['too-large', false, 'news: the data is larger than 65,536 bytes of JSON'],
  ] as const)('as %s, sent %s, says so', (code, wasSent, message) => {
    expect(new PublishError(code, 'news', { wasSent })).toMatchObject({ message, wasSent });
  });
});

describe('what a dead broker had acked', () => {
  it('waits for the only broker longer than an unacked message, and is sent again', () => {
    const { outbox, publish, outcomes } = outboxWith();
    publish(0);
    passAll(outbox, 0);
    outbox.laneDown('b1', 1_000);
    publish(1_000);
    for (let now = 1_000; now <= 60_000; now += 1_000) outbox.tick(now);
    expect(outcomes).toEqual(['acked', 'timeout']);
    expect(outbox.resending).toBe(1);
    outbox.laneUp('b1', 60_000);
    const [again, ...more] = passAll(outbox, 60_000);
    expect(again).toMatchObject({ sequence: 0, flags: MESSAGE_FLAG.resent | MESSAGE_FLAG.acked });
    expect(more).toEqual([]);
    expect(outbox).toMatchObject({ resending: 0, forgotten: 0, open: 0 });
  });

  it('is sent again also where only an overdue ack showed its death, in the order of publishing', () => {
    const { outbox, publish } = outboxWith();
    publish(0);
    passAll(outbox, 0);
    publish(1);
    outbox.takeBatch('b1', 1);
    let now = 0;
    let silent: string[] = [];
    for (; silent.length === 0 && now < 5_000; now += 50) silent = outbox.tick(now);
    publish(now);
    outbox.laneUp('b1', now);
    expect(passAll(outbox, now).map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
  });

  it('is let go once its broker is well for longer than it takes to notice its death', () => {
    const { outbox, publish } = outboxWith();
    publish(0);
    passAll(outbox, 0);
    outbox.laneDown('b1', 5_000);
    expect(outbox).toMatchObject({ resending: 0, resent: 0 });
  });

  it('is given up after two minutes, and counted', () => {
    const { outbox, publish } = outboxWith();
    publish(0);
    passAll(outbox, 0);
    outbox.laneDown('b1', 1_000);
    outbox.tick(DEFAULT_OUTBOX_LIMITS.resendMs);
    expect(outbox).toMatchObject({ resending: 0, forgotten: 1 });
  });

  it('is kept by bytes: the newest that fit', () => {
    const { outbox, publish } = outboxWith({ maxRetainedBytes: 3_500 });
    for (let i = 0; i < 5; i++) publish(0, 1_000);
    passAll(outbox, 0);
    outbox.laneDown('b1', 1);
    outbox.laneUp('b1', 2);
    expect(passAll(outbox, 2).map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  it('is given up before its number is so old that no window would know it as a duplicate', () => {
    const { outbox, publish } = outboxWith();
    publish(0);
    passAll(outbox, 0);
    outbox.laneDown('b1', 1_000);
    let now = 1_000;
    for (let added = 0; added <= PUBLICATION_LIMITS.maxSequenceSpread; added += 16_384) {
      for (let i = 0; i < 16_384; i++) publish(now);
      now += DEADLINE_MS;
      outbox.tick(now);
    }
    expect(outbox).toMatchObject({ resending: 0, forgotten: 1, open: 0 });
  });
});
