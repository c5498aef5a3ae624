// The platform as operators run it, every daemon the built program in a process of its own: ZooKeeper where it
// is asked for, one Herald, three brokers, four gateways. And who uses it: numbered publishers, clients of the
// SDK that look up, connect, move and resume by themselves.

import { WebSocket } from 'ws';
import { connect } from '../../../src/client/index.ts';
import type { Client } from '../../../src/client/index.ts';
import type { Publisher } from '../../../src/publisher/index.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { freePorts } from '../../launch/free-port.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { startHeraldProcess } from '../../launch/herald-process.ts';
import { pause, until } from '../../launch/until.ts';
import type { Book } from './book.ts';
import { createBook } from './book.ts';

export const TOPICS_PER_CLIENT = 2;
const BROKERS = 3;
const GATEWAYS = 4;
const LIVE_DEADLINE_MS = 60_000;

export interface FieldOptions {
  clients: number;
  /** `host:port` of a ZooKeeper; empty = the embedded store. */
  zookeeper?: string;
  brokers?: number;
  /** Beyond the defaults of `herald broker`. */
  brokerFlags?: Record<string, string | number>;
}

/** A daemon that can be started again where it was. */
export interface Daemon {
  name: string;
  process: HeraldProcess;
  /** As `process`, once the old one is gone. */
  restart(): Promise<void>;
}

export interface Field {
  book: Book;
  herald: Daemon;
  brokers: Daemon[];
  gateways: Daemon[];
  clients: Client[];
  publisher: Publisher;
  topics: string[];
  /** Publishes one numbered message by the SDK. */
  publish: (topic: number) => void;
  /** Base URL of a broker's HTTP publish. */
  httpOf(broker: Daemon): string;
  /** Resolves when every client is connected, and to none of the gateways `without`. */
  allLive(without?: readonly string[]): Promise<void>;
  /** Resolves when every gateway hears every broker. */
  allHeard(): Promise<void>;
  gatewayOf(client: Client): string;
  /** Resolves when nothing is waited for any more, or it is clear that it will not come. */
  settled(deadlineMs?: number): Promise<void>;
  failed(): number;
  close(): Promise<void>;
}

export async function layField(options: FieldOptions): Promise<Field> {
  const daemons: Daemon[] = [];
  const start: Start = async (name, command, flags) => {
    const daemon: Daemon = {
      name,
      process: await startHeraldProcess(command, flags),
      async restart() {
        daemon.process = await startHeraldProcess(command, flags);
      },
    };
    daemons.push(daemon);
    return daemon;
  };
  const clients: Client[] = [];
  const publishers: Publisher[] = [];
  const close = async (): Promise<void> => {
    for (const client of clients) client.close();
    await Promise.all(publishers.map((publisher) => publisher.close()));
    await Promise.all(daemons.map(({ process }) => process.kill()));
  };
  try {
    const { herald, brokers, gateways } = await startDaemons(start, options);
    await allHear(gateways, brokers.length);

    const topics = Array.from({ length: options.clients * TOPICS_PER_CLIENT }, (_, i) => `loss.${i}`);
    const book = createBook(topics.length);
    await subscribeAll(herald, topics, book, clients);
    const publisher = await createPublisher({ heralds: [herald.process.addresses['control']!] });
    publishers.push(publisher);
    let failed = 0;
    const gatewayOf = (client: Client): string => (client.state.name === 'live' ? client.state.gateway : '');
    return {
      book,
      herald,
      brokers,
      gateways,
      clients,
      publisher,
      topics,
      publish(topic) {
        const number = book.publishing(topic);
        publisher.publish(topics[topic]!, number).then(
          () => book.acked(topic, number),
          () => (failed += 1),
        );
      },
      httpOf: ({ process }) => process.addresses['http']!,
      allLive: async (without = []) => {
        await until(
          'every client live again',
          () =>
            clients.every((client) => client.state.name === 'live' && !without.includes(gatewayOf(client))),
          LIVE_DEADLINE_MS,
        );
      },
      allHeard: () => allHear(gateways, brokers.length),
      gatewayOf,
      async settled(deadlineMs = 20_000) {
        const endMs = performance.now() + deadlineMs;
        while (publisher.snapshot().waiting > 0 && performance.now() < endMs) await pause(50);
        // Gaps are told up to some seconds after a loss; what is complete needs no wait.
        while (book.waiting() > 0 && performance.now() < endMs) await pause(100);
        await pause(300);
      },
      failed: () => failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Start = (name: string, command: string, flags: Record<string, string | number>) => Promise<Daemon>;

async function startDaemons(
  start: Start,
  options: FieldOptions,
): Promise<Pick<Field, 'herald' | 'brokers' | 'gateways'>> {
  const store = { zookeeper: options.zookeeper ?? '', 'zookeeper-session-timeout-ms': 4_000 };
  const ports = (await freePorts(4 + (options.brokers ?? BROKERS) * 4 + GATEWAYS)).map(
    (port) => `127.0.0.1:${port}`,
  );
  const [publicListen, controlListen, agentListen, adminListen] = ports.splice(0, 4);
  const herald = await start('herald', 'serve', {
    id: 'herald-1',
    'public-listen': publicListen!,
    'control-listen': controlListen!,
    'agent-listen': agentListen!,
    'admin-listen': adminListen!,
    // All share this machine: its load says nothing of any gateway, and must not close the door.
    'admit-score': 1_000,
    'admit-returning-score': 1_000,
    mover: 'off',
    ...store,
  });
  const heralds = herald.process.addresses['control']!;
  const brokers = await Promise.all(
    Array.from({ length: options.brokers ?? BROKERS }, (_, i) => {
      const [publish, subscribe, repair, http] = ports.splice(0, 4);
      return start(`broker-${i + 1}`, 'broker', {
        id: `broker-${i + 1}`,
        'publish-listen': publish!,
        'subscribe-listen': subscribe!,
        'repair-listen': repair!,
        'http-listen': http!,
        heralds,
        ...store,
        ...options.brokerFlags,
      });
    }),
  );
  const gateways = await Promise.all(
    Array.from({ length: GATEWAYS }, (_, i) =>
      start(`gw-${i + 1}`, 'gateway', {
        id: `gw-${i + 1}`,
        listen: ports.shift()!,
        heralds,
        'max-wait-ms': 20,
      }),
    ),
  );
  return { herald, brokers, gateways };
}

/** Connects the clients, each for its own topics, and adds them to `clients`; resolves when all are in force. */
async function subscribeAll(
  herald: Daemon,
  topics: readonly string[],
  book: Book,
  clients: Client[],
): Promise<void> {
  const subscribed = new Set<string>();
  for (let i = 0; i < topics.length / TOPICS_PER_CLIENT; i++) {
    const own = topics.slice(i * TOPICS_PER_CLIENT, (i + 1) * TOPICS_PER_CLIENT);
    const hearings = new Map(own.map((topic) => [topic, book.hearing(topics.indexOf(topic))]));
    const client = connect({
      herald: herald.process.addresses['public']!,
      topics: own,
      webSocket: WebSocket,
    });
    client.on('message', ({ topic, epoch, data }) => hearings.get(topic)!.message(data as number, epoch));
    client.on('gap', ({ topic, count }) => hearings.get(topic)!.gap(count));
    client.on('subscribed', ({ topic }) => subscribed.add(topic));
    clients.push(client);
  }
  await until('every subscription', () => subscribed.size === topics.length, LIVE_DEADLINE_MS, 100);
}

async function allHear(gateways: readonly Daemon[], brokers: number): Promise<void> {
  await until(
    `every gateway to hear ${brokers} brokers`,
    async () => {
      for (const { process } of gateways) {
        const reply = await fetch(`${process.addresses['http']}/readyz`);
        if (((await reply.json()) as { brokers: number }).brokers !== brokers) return false;
      }
      return true;
    },
    LIVE_DEADLINE_MS,
    100,
  );
}

export interface Traffic {
  /** Nothing more is published from now on. */
  stop(): void;
  sent(): number;
}

/** Publishes over all topics in turn at a rate, by `publish`, until stopped. */
export function traffic(topics: number, ratePerSec: number, publish: (topic: number) => void): Traffic {
  const startedMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedMs) / 1_000) * ratePerSec);
    for (; sent < due; sent++) publish(sent % topics);
  }, 5);
  return { stop: () => clearInterval(timer), sent: () => sent };
}
