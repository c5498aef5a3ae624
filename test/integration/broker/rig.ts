// What the broker tests share: a broker of the real code on free ports, a link that writes down what it
// hears, and waiting with a deadline.

import { join } from 'node:path';
import { systemClock } from '../../../src/daemon/clock.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { brokerOptions } from '../../../src/broker/config/broker-options.ts';
import type { BrokerConfig, BrokerHandle } from '../../../src/broker/start-broker.ts';
import { startBroker } from '../../../src/broker/start-broker.ts';
import { heraldOptions } from '../../../src/herald/config/herald-options.ts';
import type { HeraldHandle } from '../../../src/herald/start-herald.ts';
import { startHerald } from '../../../src/herald/start-herald.ts';
import { createBrokerLink } from '../../../src/gateway/feed/broker-link.ts';
import type { BrokerLinkOptions } from '../../../src/gateway/feed/broker-link.ts';
import type { BrokerLink, DeliveredMessage, FeedGap } from '../../../src/gateway/core/feed-port.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { freePorts, isFree } from '../../launch/free-port.ts';
import { until } from '../../launch/until.ts';
import { transpiled } from '../../launch/transpiled.ts';

export interface PublisherChildOptions {
  topics: readonly string[];
  ratePerSec: number;
  giveUpMs: number;
}

export type BrokerFlags = Partial<Record<keyof BrokerConfig, unknown>>;

/** A broker in this process on free ports of the loopback, known to no Herald. */
export async function broker(
  id: string,
  flags: BrokerFlags = {},
  clock = systemClock,
): Promise<BrokerHandle> {
  const [publish, subscribe, repair] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`);
  const config = loadConfig(brokerOptions, {
    flags: {
      id,
      publishListen: publish,
      subscribeListen: subscribe,
      repairListen: repair,
      // Never one that the broker had before, where it starts again (samePlace).
      httpListen: '127.0.0.1:0',
      heralds: [],
      ...flags,
    },
  });
  return startBroker(config, { log: silentLog, metrics: createMetrics(), clock });
}

/** A Herald in this process. */
export async function heraldHere(secret = ''): Promise<HeraldHandle> {
  const any = '127.0.0.1:0';
  const listens = { publicListen: any, controlListen: any, agentListen: any, adminListen: any };
  const config = loadConfig(heraldOptions, { flags: { ...listens, secret, snapshotFile: '' } });
  return startHerald(config, { log: silentLog, metrics: createMetrics(), clock: systemClock });
}

/** The brokers that a Herald lists. */
export async function listed(control: string): Promise<BrokerAddress[]> {
  const reply = await fetch(`${control}/v1/brokers`);
  return ((await reply.json()) as { brokers: BrokerAddress[] }).brokers;
}

/** A process that starts on a busy machine; only readiness is waited for, so a long deadline costs nothing. */
export const CHILD_START_MS = 45_000;

const scripts = new Map<string, string>();

/** Runnable form of a file beside this one, made once. */
function script(name: string): string {
  const made = scripts.get(name) ?? transpiled(join(import.meta.dirname, name));
  scripts.set(name, made);
  return made;
}

export interface BrokerChild {
  child: Child;
  address: BrokerAddress;
}

/** The same as a process of its own, to be killed, frozen or terminated. */
export async function brokerChild(id: string, flags: BrokerFlags = {}): Promise<BrokerChild> {
  const child = startChild(process.execPath, [
    script('broker-child.ts'),
    JSON.stringify({ id, httpListen: '', ...flags }),
  ]);
  const [, address] = await child.line(/^ready (.*)$/m, CHILD_START_MS);
  return { child, address: JSON.parse(address!) as BrokerAddress };
}

/** A link as a process of its own; it prints how many messages it has. */
export function listenerChild(brokers: readonly BrokerAddress[], topics: readonly string[]): Child {
  return startChild(process.execPath, [script('listener-child.ts'), JSON.stringify({ brokers, topics })]);
}

/** A publisher as a process of its own; on SIGTERM it stops, and prints what it sent to each topic and how it went. */
export function publisherChild(brokers: readonly BrokerAddress[], options: PublisherChildOptions): Child {
  return startChild(process.execPath, [
    script('publisher-child.ts'),
    JSON.stringify({ brokers, ...options }),
  ]);
}

/** Flags that start a broker again where `address` was. */
export async function samePlace(address: BrokerAddress): Promise<BrokerFlags> {
  const place = (url: string): string => url.replace(/^\w+:\/\//, '');
  // ZeroMQ lets go of a port a moment after its socket was closed.
  for (const url of [address.publish, address.subscribe, address.repair]) {
    await until(`${url} to be free`, () => isFree(Number(new URL(url).port)));
  }
  return {
    publishListen: place(address.publish),
    subscribeListen: place(address.subscribe),
    repairListen: place(address.repair),
  };
}

export interface Listener {
  link: BrokerLink;
  /** Copies, in the order of delivery. */
  messages: DeliveredMessage[];
  gaps: FeedGap[];
  /** The JSON values of a topic's messages, in order. */
  values(topic: string): unknown[];
}

export function listener(
  brokers: readonly BrokerAddress[],
  options: Partial<BrokerLinkOptions> = {},
): Listener {
  const messages: DeliveredMessage[] = [];
  const gaps: FeedGap[] = [];
  const link = createBrokerLink({
    brokers,
    onMessages: (batch) => {
      for (const message of batch) messages.push({ ...message, data: message.data.slice() });
    },
    onGap: (gap) => gaps.push(gap),
    ...options,
  });
  return {
    link,
    messages,
    gaps,
    values: (topic) => messages.filter((message) => message.topic === topic).map(({ data }) => value(data)),
  };
}

export function value(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data).toString('utf8')) as unknown;
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
