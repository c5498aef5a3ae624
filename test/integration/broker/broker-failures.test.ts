// What fire does to the road: brokers drained, restarted, killed and frozen under traffic, gateways frozen.
// Every message carries a number, so a loss or a duplicate cannot hide.

import { describe, expect, it, onTestFinished } from 'vitest';
import { CLOSE_DEADLINE_MS } from '../../../src/daemon/lifecycle.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import type { Publisher, PublisherSnapshot } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { pause, until } from '../../launch/until.ts';
import type { Listener } from './rig.ts';
import {
  broker,
  brokerChild,
  CHILD_START_MS,
  listener,
  listenerChild,
  numbers,
  publisherChild,
  samePlace,
} from './rig.ts';

const TOPICS = numbers(1, 40).map((n) => `ticker.${n}`);

/** Subscribed to all the topics. */
async function listening(brokers: readonly BrokerAddress[]): Promise<Listener> {
  const heard = listener(brokers);
  closeLater(heard.link);
  await Promise.all(TOPICS.map((topic) => heard.link.subscribe(topic)));
  return heard;
}

/** Publishes numbers round robin over the topics at a rate, until stopped; counts what was acked. */
function traffic(publisher: Publisher, ratePerSec: number): { stop: () => Promise<number[]> } {
  const sent = TOPICS.map(() => 0);
  const acks: Promise<void>[] = [];
  const startedMs = performance.now();
  let total = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * ratePerSec);
    for (; total < due; total++) {
      const topic = total % TOPICS.length;
      sent[topic]! += 1;
      const ack = publisher.publish(TOPICS[topic]!, sent[topic]);
      // Judged in stop(); a test that failed before does not get there.
      ack.catch(() => {});
      acks.push(ack);
    }
  }, 5);
  onTestFinished(async () => clearInterval(timer));
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(acks);
      return sent;
    },
  };
}

async function everythingOnce(heard: Listener, sent: readonly number[]): Promise<void> {
  const total = sent.reduce((sum, count) => sum + count, 0);
  await until(`${total} messages`, () => heard.messages.length >= total);
  TOPICS.forEach((topic, i) => expect(heard.values(topic), topic).toEqual(numbers(1, sent[i]!)));
  expect(heard.gaps).toEqual([]);
  expect(heard.link.snapshot().lost).toBe(0);
}

const FREEZE_SECONDS = Number(process.env['FREEZE_SECONDS'] ?? 4);

describe('a broker that goes', () => {
  it('loses and repeats nothing when it drains under traffic and another takes over', async () => {
    const [leaving, staying] = [await broker('b1'), closeLater(await broker('b2'))];
    const brokers = [leaving.address(), staying.address()];
    const heard = await listening(brokers);
    const publisher = closeLater(await createPublisher({ brokers }));
    const flow = traffic(publisher, 2_000);
    await until('traffic through both', () =>
      [leaving, staying].every((one) => one.snapshot().ledger.forwarded > 200),
    );
    await leaving.close();
    const after = staying.snapshot().ledger.forwarded;
    await until('traffic through the other', () => staying.snapshot().ledger.forwarded > after + 1_000);
    await everythingOnce(heard, await flow.stop());
    expect(publisher.snapshot().resent).toBe(0);
  });

  it.each([
    ['', false],
    [' after it waited for a gateway that froze', true],
  ])('loses and repeats nothing when the only one is restarted in its place%s', async (_how, isHeldUp) => {
    const first = await broker('b1', { drainMs: 4_100 });
    // Before the link: it must not sleep while this process prepares a child, or it could not tell what it missed.
    const frozen = isHeldUp ? listenerChild([first.address()], TOPICS) : undefined;
    if (frozen) onTestFinished(() => frozen.stop());
    await frozen?.line(/ready/, CHILD_START_MS);
    const heard = await listening([first.address()]);
    const publisher = closeLater(await createPublisher({ brokers: [first.address()] }));
    frozen?.signal('SIGSTOP');
    const flow = traffic(publisher, 1_000);
    await until('traffic', () => heard.messages.length > 500);
    const closingMs = performance.now();
    await first.close();
    expect(performance.now() - closingMs).toBeLessThan(first.closeDeadlineMs ?? CLOSE_DEADLINE_MS);
    const second = closeLater(await broker('b1', await samePlace(first.address())));
    await until('traffic again', () => second.snapshot().ledger.forwarded > 500);
    await everythingOnce(heard, await flow.stop());
    expect(new Set(heard.messages.map(({ epoch }) => epoch)).size).toBe(2);
  });

  it('loses nothing acked when it is killed under 5,000 messages a second', async () => {
    const doomed = await brokerChild('b1');
    onTestFinished(() => doomed.child.stop());
    const staying = closeLater(await broker('b2'));
    const brokers = [doomed.address, staying.address()];
    const heard = await listening(brokers);
    const publisher = closeLater(await createPublisher({ brokers }));
    const flow = traffic(publisher, 5_000);
    await until('traffic through both', () => heard.messages.length > 5_000);
    doomed.child.signal('SIGKILL');
    await doomed.child.exited;
    heard.link.setBrokers([staying.address()]);
    const after = staying.snapshot().ledger.forwarded;
    await until('traffic through the other', () => staying.snapshot().ledger.forwarded > after + 5_000);
    await everythingOnce(heard, await flow.stop());
    expect(publisher.snapshot().resent).toBeGreaterThan(0);
  });

  it('loses nothing acked and tells of no loss when it was the only one, and was away for a while', async () => {
    const doomed = await brokerChild('b1');
    onTestFinished(() => doomed.child.stop());
    const heard = await listening([doomed.address]);
    const publisher = closeLater(await createPublisher({ brokers: [doomed.address], giveUpMs: 60_000 }));
    const flow = traffic(publisher, 3_000);
    await until('traffic', () => heard.messages.length > 3_000);
    doomed.child.signal('SIGKILL');
    await doomed.child.exited;
    await pause(1_000);
    const sent = flow.stop();
    expect(publisher.snapshot().waiting).toBeGreaterThan(0);
    const back = await brokerChild('b1', await samePlace(doomed.address));
    onTestFinished(() => back.child.stop());
    await everythingOnce(heard, await sent);
    expect(publisher.snapshot()).toMatchObject({ forgotten: 0 });
    expect(publisher.snapshot().resent).toBeGreaterThan(0);
  });

  it('is left for the next one when it freezes, and nothing is lost', async () => {
    const frozen = await brokerChild('b1');
    onTestFinished(() => frozen.child.stop());
    const staying = closeLater(await broker('b2'));
    const brokers = [frozen.address, staying.address()];
    const heard = await listening(brokers);
    const publisher = closeLater(await createPublisher({ brokers }));
    const flow = traffic(publisher, 1_000);
    await until('traffic', () => heard.messages.length > 1_000);
    frozen.child.signal('SIGSTOP');
    // Twice what a link waits for a sign of life; then time for what the frozen one had of its own.
    await pause(3_000);
    frozen.child.signal('SIGCONT');
    await pause(1_000);
    await everythingOnce(heard, await flow.stop());
  });
});

describe('many topics', () => {
  it.each([900, 50_000])('keeps %i of them through a restart of the broker', async (count) => {
    const first = await broker('b1');
    const heard = listener([first.address()], { headDeadlineMs: 20_000, fetchDeadlineMs: 20_000 });
    closeLater(heard.link);
    const topics = numbers(1, count).map((n) => `device.${n}`);
    await Promise.all(topics.map((topic) => heard.link.subscribe(topic)));
    await first.close();
    const second = closeLater(await broker('b1', await samePlace(first.address())));
    const publisher = closeLater(await createPublisher({ brokers: [second.address()], giveUpMs: 30_000 }));
    for (let from = 0; from < count; from += 10_000) {
      await Promise.all(topics.slice(from, from + 10_000).map((topic) => publisher.publish(topic, 1)));
    }
    await until(`${count} messages`, () => heard.messages.length >= count, 30_000);
    expect(new Set(heard.messages.map(({ topic }) => topic)).size).toBe(count);
    expect(heard.gaps).toEqual([]);
  });
});

describe('a publisher that freezes', () => {
  it('loses and repeats nothing, and gives up nothing for the time it was stopped', async () => {
    const two = [closeLater(await broker('b1')), closeLater(await broker('b2'))];
    const brokers = two.map((one) => one.address());
    const heard = await listening(brokers);
    // Stopped for longer than it would wait for an ack, and than what was acked is kept.
    const giveUpMs = (FREEZE_SECONDS - 1) * 1_000;
    const child = publisherChild(brokers, { topics: TOPICS, ratePerSec: 2_000, giveUpMs });
    onTestFinished(() => child.stop());
    await child.line(/ready/, CHILD_START_MS);
    await until('traffic', () => heard.messages.length > 1_000);
    child.signal('SIGSTOP');
    await pause(FREEZE_SECONDS * 1_000);
    child.signal('SIGCONT');
    const before = heard.messages.length;
    await until('traffic again', () => heard.messages.length > before + 1_000);
    child.signal('SIGTERM');
    const [, text] = await child.line(/^sent (.*)$/m, CHILD_START_MS);
    const { sent, snapshot } = JSON.parse(text!) as { sent: number[]; snapshot: PublisherSnapshot };
    await everythingOnce(heard, sent);
    expect(snapshot).toMatchObject({ failed: 0, forgotten: 0, waiting: 0 });
  });
});

describe('a gateway that freezes', () => {
  it('stalls no other, and what it could not catch up it counts exactly', async () => {
    // A ring of one second: what the frozen gateway missed before that is gone.
    const one = closeLater(await broker('b1', { ringSeconds: 1 }));
    const heard = await listening([one.address()]);
    const stalled = listenerChild([one.address()], TOPICS);
    onTestFinished(() => stalled.stop());
    await stalled.line(/ready/, CHILD_START_MS);
    const publisher = closeLater(await createPublisher({ brokers: [one.address()] }));
    const flow = traffic(publisher, 2_000);
    await until('traffic', () => heard.messages.length > 1_000);
    stalled.signal('SIGSTOP');
    const slowest: number[] = [];
    const watch = setInterval(() => {
      slowest.push(Date.now() - (heard.messages.at(-1)?.publishedAtMs ?? 0));
    }, 50);
    await pause(5_000);
    clearInterval(watch);
    stalled.signal('SIGCONT');
    const sent = await flow.stop();
    await everythingOnce(heard, sent);
    expect(Math.max(...slowest)).toBeLessThan(1_000);
    const total = sent.reduce((sum, count) => sum + count, 0);
    const last = (): { delivered: number; lost: number; counted: number } =>
      JSON.parse(stalled.stdout().trim().split('\n').at(-1)!) as never;
    await until('all delivered or counted', () => last().delivered + last().counted >= total, 15_000);
    const { delivered, lost, counted } = last();
    expect(delivered + counted).toBe(total);
    expect(counted).toBeGreaterThan(0);
    // The broker's own probes are lost with the rest, and are nobody's topic: 16 a second.
    expect(lost - counted).toBeGreaterThanOrEqual(0);
    expect(lost - counted).toBeLessThanOrEqual(16 * 8);
  });
});
