// The driver of flushes on a clock that moves only as work is done, so that its slices can be told exactly.

import { describe, expect, it } from 'vitest';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { FanOut } from '../../../src/gateway/clients/fan-out.ts';
import { member } from './members.ts';
import { plainAllocate } from './plain-allocate.ts';

const WRITE_MS = 0.02;

interface Rig {
  hub: Hub;
  fanOut: FanOut;
  publish(topic: string): void;
  nowMs(): number;
  /** Messages each subscriber was given. */
  got: number[];
  /** What the last subscriber was given, as text. */
  last(): string;
}

const WAIT_MS = 100;
/** Of topics that begin with `quick`. */
const QUICK_WAIT_MS = 5;
const SLICE_MS = 4;

/** `topicsOf` says what each of so many subscribers listens to. */
function rigOf(subscribers: number, topicsOf: (index: number) => string | readonly string[]): Rig {
  let now = 0;
  const clock = { nowMs: () => now, epochMs: () => now };
  const outbox = new Outbox(0.7);
  const hub = new Hub({
    outbox,
    traitsOf: (topic) => ({
      flushClass: outbox.classOf(topic.startsWith('quick') ? QUICK_WAIT_MS : WAIT_MS),
      sendsLast: false,
    }),
    history: { maxMessages: 0, maxBytes: 0, maxAgeMs: 0 },
    historyBudgetBytes: 0,
    deflate: () => undefined,
    deflateFromBytes: 1e9,
    allocate: plainAllocate,
  });
  const got = new Array<number>(subscribers).fill(0);
  let last = '';
  for (let index = 0; index < subscribers; index++) {
    const subscriber = member((bytes, frames) => {
      now += WRITE_MS;
      if (index === subscribers - 1) last += new TextDecoder().decode(bytes);
      got[index]! += frames;
    });
    const topics = [topicsOf(index)].flat();
    hub.subscribe(
      subscriber,
      topics.map((topic) => hub.topic(topic)),
    );
  }
  const fanOut = new FanOut({
    hub,
    outbox,
    clock,
    flushDuration: { observe: () => {} },
  });
  let offset = 0;
  return {
    hub,
    fanOut,
    got,
    last: () => last,
    nowMs: () => now,
    publish(topic) {
      const data = new TextEncoder().encode('1');
      hub.message({ topic, epoch: 'e', offset: ++offset, data, publishedAtMs: 0 }, now);
      fanOut.wake();
    },
  };
}

/** Work done in each turn of the loop until `done`, ms. */
async function turnsUntil(rig: Rig, done: () => boolean): Promise<number[]> {
  const turns: number[] = [];
  let lastMs = rig.nowMs();
  while (!done()) {
    if (turns.length > 1_000) throw new Error('the flush does not end');
    await new Promise((resolve) => setImmediate(resolve));
    turns.push(rig.nowMs() - lastMs);
    lastMs = rig.nowMs();
  }
  return turns;
}

it.each([
  ['one group of 10,000', 10_000, () => 't'],
  ['2,000 groups of five', 10_000, (index: number) => `t.${index % 2_000}`],
] as const)('never holds the loop for 10 ms: %s', async (_name, subscribers, topicOf) => {
  const rig = rigOf(subscribers, topicOf);
  const topics = new Set(Array.from({ length: subscribers }, (_, index) => topicOf(index)));
  for (const topic of topics) rig.publish(topic);
  const turns = await turnsUntil(rig, () => rig.got.every((count) => count === 1));
  // 200 ms of writing in all.
  expect(turns.filter((ms) => ms > 0).length).toBeGreaterThan(20);
  expect(Math.max(...turns)).toBeLessThan(10);
  rig.fanOut.stop();
});

it('gives a message that comes in the middle of a round to those whose turn is yet to come', async () => {
  const rig = rigOf(2_000, () => 't');
  rig.publish('t');
  await turnsUntil(rig, () => rig.got.some((count) => count === 1));
  const early = rig.got.filter((count) => count === 1).length;
  rig.publish('t');
  await turnsUntil(rig, () => rig.got.every((count) => count >= 1));
  expect(rig.got.filter((count) => count === 2).length).toBe(2_000 - early);
  await turnsUntil(rig, () => rig.got.every((count) => count === 2));
  rig.fanOut.stop();
  expect(rig.hub.ledger.delivered).toBe(4_000);
  expect(rig.hub.ledger.due).toBe(4_000);
});

it('says how long the oldest message of the last two seconds waited', async () => {
  const rig = rigOf(1_000, () => 't');
  expect(rig.fanOut.lagMs()).toBe(0);
  rig.publish('t');
  await turnsUntil(rig, () => rig.got.every((count) => count === 1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(rig.fanOut.lagMs()).toBeCloseTo(1_000 * WRITE_MS, 1);
  rig.fanOut.stop();
});

describe('a quick topic whose time is up during the flush of a patient one', () => {
  const QUICK = 10;
  const isQuick = (index: number): boolean => index < QUICK;

  it('goes out at the end of a slice', async () => {
    // 80 ms of writing for the patient topic.
    const rig = rigOf(4_000 + QUICK, (index) => (isQuick(index) ? 'quick' : 'patient'));
    rig.publish('patient');
    await turnsUntil(rig, () => rig.got.some((count) => count === 1));
    const publishedMs = rig.nowMs();
    rig.publish('quick');
    await turnsUntil(rig, () => rig.got.slice(0, QUICK).every((count) => count === 1));
    expect(rig.nowMs() - publishedMs).toBeLessThan(QUICK_WAIT_MS + 2 * SLICE_MS);
    expect(rig.got.filter((count) => count === 0).length).toBeGreaterThan(2_000);
    await turnsUntil(rig, () => rig.got.every((count) => count === 1));
    rig.fanOut.stop();
  });

  it('does not overtake a message of the patient one to the same subscriber', async () => {
    const rig = rigOf(4_000, () => ['patient', 'quick']);
    rig.publish('patient');
    await turnsUntil(rig, () => rig.got.some((count) => count === 1));
    rig.publish('quick');
    await turnsUntil(rig, () => rig.got.every((count) => count === 2));
    expect(rig.last().indexOf('patient')).toBeGreaterThan(0);
    expect(rig.last().indexOf('quick')).toBeGreaterThan(rig.last().indexOf('patient'));
    rig.fanOut.stop();
  });

  it('leaves half of the core to the patient one, however much there is of it', async () => {
    // 40 ms of writing for each; the quick topic has a new message in every turn.
    const rig = rigOf(4_000, (index) => (index < 2_000 ? 'quick' : 'patient'));
    rig.publish('patient');
    const startedMs = rig.nowMs();
    await turnsUntil(rig, () => {
      rig.publish('quick');
      return rig.got.slice(2_000).every((count) => count === 1);
    });
    expect(rig.nowMs() - startedMs).toBeLessThan(40 * 3.5);
    expect(Math.min(...rig.got.slice(0, 2_000))).toBeGreaterThan(1);
    rig.fanOut.stop();
  });
});
