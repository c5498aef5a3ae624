// The client SDK against real Heralds, gateways and a real broker.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Client, ConnectOptions, GapEvent } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';
import { freePort } from '../../launch/free-port.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';

interface Watched {
  client: Client;
  numbers: number[];
  gaps: GapEvent[];
  moves: { from: string; to: string }[];
  ends: { code: number; reason: string }[];
}

const open: Client[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

function watch(options: Partial<ConnectOptions> & Pick<ConnectOptions, 'herald'>): Watched {
  const client = connect({ topics: ['numbers'], webSocket: WebSocket, ...options });
  open.push(client);
  const watched: Watched = { client, numbers: [], gaps: [], moves: [], ends: [] };
  client.on('message', ({ data }) => watched.numbers.push(data as number));
  client.on('gap', (gap) => watched.gaps.push(gap));
  client.on('moved', (move) => watched.moves.push(move));
  client.on('end', (end) => watched.ends.push(end));
  return watched;
}

const live = ({ client }: Watched): boolean => client.state.name === 'live';
const gatewayOf = ({ client }: Watched): string => (client.state.name === 'live' ? client.state.gateway : '');
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Publishes numbers until told to stop; resolves with how many, all of them acked. */
function publishSteadily(fleet: SmallFleet, topic = 'numbers', everyMs = 5): { stop(): Promise<number> } {
  const acks: Promise<void>[] = [];
  const timer = setInterval(() => acks.push(fleet.publisher.publish(topic, acks.length)), everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(acks);
      return acks.length;
    },
  };
}

function leavesLive({ client }: Watched): Promise<void> {
  return new Promise((resolve) => {
    const off = client.on('state', ({ name }) => {
      if (name === 'live') return;
      off();
      resolve();
    });
  });
}

describe('the client in a fleet of two gateways', () => {
  let fleet: SmallFleet;
  beforeAll(async () => {
    fleet = await launchSmallFleet(2, {
      gateway: { publishTopics: ['chat.'], lastValueTopics: ['price.'] },
    });
  });
  afterAll(() => fleet.close());

  it('receives what is published, in order', async () => {
    const watched = watch({ herald: fleet.url, topics: ['order'] });
    await until('live', () => live(watched));
    await Promise.all(upTo(500).map((n) => fleet.publisher.publish('order', n)));
    await until('500 messages', () => watched.numbers.length >= 500);
    expect(watched.numbers).toEqual(upTo(500));
    expect(watched.client.positions()['order']).toMatchObject({ offset: 500 });
  });

  it('loses and repeats nothing when its gateway is drained under traffic', async () => {
    const watched = upTo(20).map(() => watch({ herald: fleet.url, topics: ['drain'] }));
    await until('all live', () => watched.every(live));
    const home = gatewayOf(watched[0]!);
    const moving = watched.filter((one) => gatewayOf(one) === home);
    const publishing = publishSteadily(fleet, 'drain');
    await until('messages flow', () => watched.every(({ numbers }) => numbers.length > 20));
    fleet.gateway(home).drain({ spreadMs: 400, deadlineMs: 20_000 });
    await until('all moved', () => watched.every((one) => live(one) && gatewayOf(one) !== home));
    await until('messages flow there', () => {
      const seen = Math.max(...watched.map(({ numbers }) => numbers.length));
      return seen > 200;
    });
    const count = await publishing.stop();
    await until('all messages', () => watched.every(({ numbers }) => numbers.length >= count));
    fleet.gateway(home).ready();
    for (const { numbers, gaps } of watched) {
      expect(numbers).toEqual(upTo(count));
      expect(gaps).toEqual([]);
    }
    for (const { moves } of moving) expect(moves).toHaveLength(1);
    await until('it is named again', async () => {
      const probe = watch({ herald: fleet.url, topics: [], exclude: [gatewayOf(watched[0]!)] });
      await until('an end of the try', () => probe.client.state.name !== 'looking-up');
      const found = probe.client.state.name === 'connecting' || probe.client.state.name === 'live';
      probe.client.close();
      return found;
    });
  });

  it('loses and repeats nothing when its connection is cut', async () => {
    const gateway = fleet.gateways[0]!;
    const proxy = await startTcpProxy(Number(new URL(gateway.url).port));
    try {
      const viaProxy = class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url.replace(new URL(gateway.url).host, proxy.address), protocols);
        }
      };
      const watched = watch({
        herald: fleet.url,
        topics: ['cut'],
        webSocket: viaProxy,
        exclude: [fleet.gateways[1]!.id],
      });
      await until('live', () => live(watched));
      // The waits after repeated cuts may pass a second: what is missed must stay within the 300 messages that
      // a resume may bring back, else it is rightly told as a gap.
      const publishing = publishSteadily(fleet, 'cut', 20);
      for (let cut = 1; cut <= 3; cut++) {
        await until('messages flow', () => watched.numbers.length > cut * 30);
        // By the event and not by polling: it may be live again within a few milliseconds.
        const seen = leavesLive(watched);
        proxy.dropConnections();
        await seen;
        await until('live again', () => live(watched));
      }
      const count = await publishing.stop();
      await until('all messages', () => watched.numbers.length >= count);
      expect(watched.numbers).toEqual(upTo(count));
      expect(watched.gaps).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it('continues where an earlier run stopped', async () => {
    const first = watch({ herald: fleet.url, topics: ['runs'] });
    await until('live', () => live(first));
    for (const n of upTo(5)) await fleet.publisher.publish('runs', n);
    await until('five', () => first.numbers.length === 5);
    const position = first.client.positions()['runs']!;
    first.client.close();
    for (const n of [5, 6, 7]) await fleet.publisher.publish('runs', n);
    const second = watch({ herald: fleet.url, topics: [{ topic: 'runs', from: position }] });
    await until('the rest', () => second.numbers.length >= 3);
    expect(second.numbers).toEqual([5, 6, 7]);
    expect(second.gaps).toEqual([]);
  });

  it('publishes where the gateway allows it, and hears why not elsewhere', async () => {
    const listener = watch({ herald: fleet.url, topics: ['chat.1'] });
    const speaker = watch({ herald: fleet.url, topics: [] });
    await until('both live', () => live(listener) && live(speaker));
    await speaker.client.publish('chat.1', 42);
    await until('heard', () => listener.numbers.length === 1);
    expect(listener.numbers).toEqual([42]);
    await expect(speaker.client.publish('secret', 1)).rejects.toThrow(/4006/);
  });

  it('gets the newest value of a topic as it subscribes, at any gateway', async () => {
    for (const n of upTo(5)) await fleet.publisher.publish('price.eur', n);
    for (const { id } of fleet.gateways) {
      const watched = watch({ herald: fleet.url, topics: ['price.eur'], exclude: [id] });
      await until('the newest', () => watched.numbers.length > 0);
      expect(watched.numbers).toEqual([4]);
      expect(watched.client.positions()['price.eur']).toMatchObject({ offset: 5 });
      expect(watched.gaps).toEqual([]);
    }
  });

  it('gets the newest value after a hole that nobody can fill', async () => {
    for (const n of upTo(5)) await fleet.publisher.publish('price.usd', n);
    const from = { epoch: 'longAgo', offset: 99 };
    const watched = watch({ herald: fleet.url, topics: [{ topic: 'price.usd', from }] });
    await until('the newest', () => watched.numbers.length > 0);
    expect(watched.numbers).toEqual([4]);
    expect(watched.gaps).toHaveLength(1);
    await fleet.publisher.publish('price.usd', 5);
    await until('the next', () => watched.numbers.length > 1);
    expect(watched.numbers).toEqual([4, 5]);
  });

  it('finds its way past a Herald that is not there', async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const watched = [0, 0.99].map((chance) =>
      watch({ herald: [dead, fleet.url], topics: [], random: () => chance }),
    );
    await until('live', () => watched.every(live));
  });

  it('subscribes and unsubscribes while it is connected', async () => {
    const watched = watch({ herald: fleet.url, topics: [] });
    await until('live', () => live(watched));
    let subscribed = 0;
    watched.client.on('subscribed', () => (subscribed += 1));
    watched.client.subscribe('later');
    await until('subscribed', () => subscribed === 1);
    await fleet.publisher.publish('later', 1);
    await until('heard', () => watched.numbers.length === 1);
    watched.client.unsubscribe('later');
    await until('unsubscribed', () => fleet.gateways.every((one) => one.snapshot().subscriptions === 0));
  });
});

describe('the client when gateways go', () => {
  it('is elsewhere before a gateway that stops has stopped, losing nothing', async () => {
    const fleet = await launchSmallFleet(2);
    try {
      const watched = upTo(10).map(() => watch({ herald: fleet.url }));
      await until('all live', () => watched.every(live));
      const home = fleet.gateway(gatewayOf(watched[0]!));
      const publishing = publishSteadily(fleet);
      await until('messages flow', () => watched.every(({ numbers }) => numbers.length > 20));
      await home.close();
      await until('all live elsewhere', () =>
        watched.every((one) => live(one) && gatewayOf(one) !== home.id),
      );
      const count = await publishing.stop();
      await until('all messages', () => watched.every(({ numbers }) => numbers.length >= count));
      for (const { numbers, gaps } of watched) {
        expect(numbers).toEqual(upTo(count));
        expect(gaps).toEqual([]);
      }
    } finally {
      await fleet.close();
    }
  });

  it('waits as Herald says while there is no gateway, and connects when one comes', async () => {
    const fleet = await launchSmallFleet(0);
    try {
      const watched = watch({ herald: fleet.url });
      await until('waiting', () => watched.client.state.name === 'waiting');
      const { client } = watched;
      expect(client.state).toMatchObject({
        name: 'waiting',
        why: expect.stringMatching(/gateway/) as string,
      });
      await fleet.addGateway();
      await until('live', () => live(watched), 30_000);
    } finally {
      await fleet.close();
    }
  });

  it('comes in where tickets are required, and again after each loss', async () => {
    const secret = 'a secret of the whole test fleet';
    const fleet = await launchSmallFleet(2, {
      herald: { secret },
      gateway: { secret, tickets: 'required' },
      broker: { secret },
    });
    try {
      const sockets: WebSocket[] = [];
      const KeptSocket = class extends WebSocket {
        constructor(url: string, protocols: string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      };
      const watched = watch({ herald: fleet.url, webSocket: KeptSocket });
      for (let round = 1; round <= 3; round++) {
        await until('live', () => live(watched));
        expect(sockets).toHaveLength(round);
        const seen = leavesLive(watched);
        sockets.at(-1)!.terminate();
        await seen;
      }
    } finally {
      await fleet.close();
    }
  });
});
