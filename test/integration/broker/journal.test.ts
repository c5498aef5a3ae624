// The only broker is killed while a gateway is cut off from it, and nobody is left who would send anything again: its
// next life gives the gateway what it missed, or the exact count.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { canaryTopics } from '../../../src/broker/canary.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { RETIRE_MS } from '../../../src/subscriber/broker-connections.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import type { TcpProxy } from '../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import type { BrokerFlags, Listener } from './rig.ts';
import { broker, brokerChild, heraldHere, listed, listener, numbers, samePlace } from './rig.ts';

const TOPICS = numbers(1, 8).map((n) => `ticker.${n}`);

async function herald(): Promise<string> {
  const started = await heraldHere();
  onTestFinished(() => started.close());
  return started.addresses.control;
}

/** To each topic. */
async function publishOne(address: BrokerAddress): Promise<void> {
  const publisher = await createPublisher({ brokers: [address] });
  await Promise.all(TOPICS.map((topic) => publisher.publish(topic, 1)));
  await publisher.close();
}

/** Publishes `count` messages that a listener misses, and starts the broker again behind its back. */
async function missed(
  count: number,
  bytes: number,
  flags: BrokerFlags,
  how: 'silently' | 'reset' | 'reset and announced' | 'reset and sent again' | 'listed elsewhere' = 'reset',
): Promise<Listener> {
  const control = how === 'reset and announced' ? await herald() : undefined;
  if (control !== undefined) flags = { ...flags, heralds: [control] };
  const first = await brokerChild('b1', flags);
  onTestFinished(() => first.child.stop());
  const proxies: TcpProxy[] = [];
  const behind = async (url: string): Promise<string> => {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    proxies.push(proxy);
    return `tcp://${proxy.address}`;
  };
  const { address } = first;
  const reached = {
    ...address,
    subscribe: await behind(address.subscribe),
    repair: await behind(address.repair),
  };
  const heard = listener([reached]);
  onTestFinished(() => heard.link.close());
  await Promise.all(TOPICS.map((topic) => heard.link.subscribe(topic)));
  const publisher = await createPublisher({ brokers: [address], giveUpMs: 30_000 });
  onTestFinished(() => publisher.close());
  const publish = (number: number): Promise<unknown> =>
    Promise.all(TOPICS.map((topic) => publisher.publish(topic, [number, 'x'.repeat(bytes)])));
  await publish(1);
  await until('the first of each', () => heard.messages.length === TOPICS.length);
  if (how === 'listed elsewhere') {
    const second = await brokerChild('b1', flags);
    onTestFinished(() => second.child.stop());
    for (const proxy of proxies) proxy.freeze();
    heard.link.setBrokers([second.address]);
    for (let number = 2; number <= count; number++) await publish(number);
    return heard;
  }
  if (how === 'silently') {
    for (const proxy of proxies) proxy.freeze();
    await until('the silence to be noticed', () => heard.link.snapshot().brokers[0]?.connected === false);
  }
  for (const proxy of proxies) proxy.cut();
  const cutMs = performance.now();
  for (let number = 2; number <= count; number++) await publish(number);
  if (how === 'reset and sent again') {
    // What it acked first is kept by nobody then.
    for (let number = count + 1; performance.now() - cutMs < 4_000; number++) await publish(number);
  } else await publisher.close();
  if (control !== undefined) {
    await until('an announcement some time after the cut', async () => {
      const [{ silentMs } = { silentMs: Infinity }] = await listed(control);
      heard.link.setBrokers([{ ...reached, silentMs: silentMs! }]);
      return performance.now() - silentMs! > cutMs + 1_000;
    });
  }
  first.child.signal('SIGKILL');
  await first.child.exited;
  const second = await brokerChild('b1', { ...flags, ...(await samePlace(address)) });
  onTestFinished(() => second.child.stop());
  // While there is a broker to take what it sends again.
  onTestFinished(() => publisher.close());
  for (const proxy of proxies) {
    proxy.thaw();
    proxy.mend();
  }
  return heard;
}

function journalFlags(): BrokerFlags {
  const journal = mkdtempSync(join(tmpdir(), 'herald-journal-'));
  onTestFinished(() => rmSync(journal, { recursive: true }));
  return { journal };
}

it('is given all of it from the journal, in order', async () => {
  const heard = await missed(50, 10, journalFlags());
  await until('all of it', () => heard.messages.length >= 50 * TOPICS.length);
  for (const topic of TOPICS) {
    expect(heard.values(topic).map((value) => (value as [number])[0])).toEqual(numbers(1, 50));
  }
  expect(heard.gaps).toEqual([]);
});

it.each(['silently', 'reset and announced', 'reset and sent again', 'listed elsewhere'] as const)(
  'is told without a number (%s) where there is no journal and no copy',
  async (how) => {
    const heard = await missed(50, 10, {}, how);
    const told = (): string[] => [...new Set(heard.gaps.map(({ topic }) => topic))].sort();
    await until('a gap for each topic', () => told().length === TOPICS.length);
    expect(heard.gaps).toHaveLength(TOPICS.length);
    expect(heard.gaps[0]).toMatchObject({ fromOffset: 0, count: 0, why: 'broker-lost' });
  },
);

it('is told the exact count of what the journal holds no more', async () => {
  // More than the files hold.
  const heard = await missed(100, 60_000, journalFlags());
  const counted = (topic: string): number =>
    heard.gaps.filter((gap) => gap.topic === topic).reduce((sum, { count }) => sum + count, 0);
  const isWhole = (topic: string): boolean => heard.values(topic).length + counted(topic) === 100;
  await until('all of it, or its count', () => TOPICS.every(isWhole), 20_000);
  expect(heard.gaps.length).toBeGreaterThan(0);
  expect(heard.gaps.filter(({ count }) => count === 0)).toEqual([]);
});

it.each(['SIGKILL', 'SIGTERM'] as const)(
  'is told nothing where it slept before its broker was ended by %s, and missed nothing',
  async (signal) => {
    const first = await brokerChild('b1');
    onTestFinished(() => first.child.stop());
    const { address } = first;
    let aheadMs = 0;
    const heard = listener([address], { nowMs: () => performance.now() + aheadMs });
    onTestFinished(() => heard.link.close());
    const probes = canaryTopics();
    await Promise.all([...TOPICS, ...probes].map((topic) => heard.link.subscribe(topic)));
    aheadMs += 1_500;
    const before = heard.messages.length;
    // Two rounds: it had time to see that it slept, and to ask.
    await until('probes of two seconds', () => heard.messages.length > before + 32);
    first.child.signal(signal);
    await first.child.exited;
    const second = await brokerChild('b1', await samePlace(address));
    onTestFinished(() => second.child.stop());
    await publishOne(address);
    const news = (): unknown[] => TOPICS.flatMap((topic) => heard.values(topic));
    await until('its next life to be heard', () => news().length === TOPICS.length);
    expect(heard.gaps).toEqual([]);
  },
);

it('is told nothing where it slept while its broker said goodbye', async () => {
  const first = await broker('b1');
  let aheadMs = 0;
  const heard = listener([first.address()], { nowMs: () => performance.now() + aheadMs });
  onTestFinished(() => heard.link.close());
  await Promise.all(TOPICS.map((topic) => heard.link.subscribe(topic)));
  const closed = first.close();
  aheadMs += 1_500;
  await closed;
  const second = await broker('b1', await samePlace(first.address()));
  onTestFinished(() => second.close());
  await publishOne(second.address());
  await until('its next life to be heard', () => heard.messages.length === TOPICS.length);
  expect(heard.gaps).toEqual([]);
});

it('is told without a number where it let go of a broker that was in no list, and that ended before it was again', async () => {
  const first = await brokerChild('b1');
  onTestFinished(() => first.child.stop());
  const other = await broker('b2');
  onTestFinished(() => other.close());
  let aheadMs = 0;
  const heard = listener([first.address], { nowMs: () => performance.now() + aheadMs });
  onTestFinished(() => heard.link.close());
  const ids = (): string[] => heard.link.snapshot().brokers.map(({ id }) => id);
  await Promise.all(TOPICS.map((topic) => heard.link.subscribe(topic)));
  await publishOne(first.address);
  await until('the first of each', () => heard.messages.length === TOPICS.length);
  heard.link.setBrokers([other.address()]);
  await until('the other', () =>
    heard.link.snapshot().brokers.some(({ id, connected }) => id === 'b2' && connected),
  );
  aheadMs += RETIRE_MS;
  await until('the first to be let go', () => !ids().includes('b1'));
  await publishOne(first.address);
  first.child.signal('SIGKILL');
  await first.child.exited;
  const second = await brokerChild('b1');
  onTestFinished(() => second.child.stop());
  heard.link.setBrokers([other.address(), second.address]);
  const told = (): string[] => [...new Set(heard.gaps.map(({ topic }) => topic))].sort();
  await until('a gap for each topic', () => told().length === TOPICS.length, 20_000);
  expect(heard.gaps[0]).toMatchObject({ fromOffset: 0, count: 0, why: 'broker-lost' });
});

it('is told nothing where a broker that was in no list for a while was heard until it was killed', async () => {
  const first = await brokerChild('b1');
  onTestFinished(() => first.child.stop());
  const { address } = first;
  let aheadMs = 0;
  const heard = listener([address], { nowMs: () => performance.now() + aheadMs });
  onTestFinished(() => heard.link.close());
  const brokers = (): { connected: boolean; epoch: string }[] => heard.link.snapshot().brokers;
  await Promise.all(TOPICS.map((topic) => heard.link.subscribe(topic)));
  await until('the broker to be followed', () => brokers()[0]?.epoch !== '');
  heard.link.setBrokers([]);
  aheadMs += 2 * RETIRE_MS;
  await until('it to be let go', () => brokers().length === 0);
  aheadMs += 2 * RETIRE_MS;
  heard.link.setBrokers([address]);
  const publish = async (topics: readonly string[]): Promise<void> => {
    const publisher = await createPublisher({ brokers: [address] });
    onTestFinished(() => publisher.close());
    await Promise.all(topics.map((topic) => publisher.publish(topic, 1)));
  };
  await publish(TOPICS.slice(1));
  await until('it to be heard again', () => heard.messages.length === TOPICS.length - 1);
  first.child.signal('SIGKILL');
  await first.child.exited;
  const second = await brokerChild('b1', await samePlace(address));
  onTestFinished(() => second.child.stop());
  await publish(TOPICS.slice(0, 1));
  await until('its next life to be heard', () => heard.messages.length === TOPICS.length);
  expect(heard.gaps).toEqual([]);
});
