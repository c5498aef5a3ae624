// A defect that is known and not yet understood: about one run in five, a client whose connection is cut and
// comes back to the same gateway under traffic stays live and gets nothing more. Outside `npm test` until it
// is fixed; `npm run test:known-defects` shows it. It then goes back to test/integration/client.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Client, ConnectOptions, GapEvent } from '../../src/client/index.ts';
import { connect } from '../../src/client/index.ts';
import type { SmallFleet } from '../launch/small-fleet.ts';
import { launchSmallFleet } from '../launch/small-fleet.ts';
import { startTcpProxy } from '../launch/tcp-proxy.ts';
import { until } from '../launch/until.ts';

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
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Publishes numbers until told to stop; resolves with how many, all of them acked. */
function publishSteadily(fleet: SmallFleet, topic = 'numbers'): { stop(): Promise<number> } {
  const acks: Promise<void>[] = [];
  const timer = setInterval(() => acks.push(fleet.publisher.publish(topic, acks.length)), 5);
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
    fleet = await launchSmallFleet(2);
  });
  afterAll(() => fleet.close());

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
      const publishing = publishSteadily(fleet, 'cut');
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
});
