// The load: clients of the SDK that look up, connect, subscribe to one topic, live their life and leave, and a
// publisher that feeds the topics. All in this process and cheap: what a client costs is counted in tokens at
// the gateway, not burnt here.

import { WebSocket } from 'ws';
import type { Client } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import type { FleetProcesses } from './fleet-processes.ts';
import { classRates, lifeMs, MEAN_LIFE_MS, remainingLifeMs } from './population.ts';

const CLASSES = 12;
/** Messages a second to a mean connection. */
export const MEAN_RATE_PER_SEC = 1.6;

export interface Crowd {
  live(): number;
  counts(): { connected: number; refused: number; moved: number; messages: number };
  stop(): Promise<void>;
}

export interface CrowdEvents {
  /** A lookup named this gateway to a client. */
  onNamed?: (gateway: string, client: Client) => void;
  /** A client came or went back to looking up; `gateway` is where it was. */
  onLost?: (gateway: string, client: Client) => void;
}

/** Offers no compression: inflating would be most of what a client costs. */
class PlainSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false, skipUTF8Validation: true });
  }
}

/**
 * Brings in `size` clients over `arriveMs` as if found in the middle of their lives, and from then on as many
 * new ones as leave. With `stay` nobody leaves.
 */
export async function startCrowd(
  fleet: FleetProcesses,
  size: number,
  arriveMs: number,
  random: () => number,
  events: CrowdEvents = {},
  stay = false,
): Promise<Crowd> {
  const publisher = await createPublisher({ heralds: [fleet.controlUrl] });
  const rates = classRates(CLASSES, MEAN_RATE_PER_SEC);
  const timers = new Set<NodeJS.Timeout>();
  const clients = new Set<Client>();
  const counts = { connected: 0, refused: 0, moved: 0, messages: 0 };
  let stopped = false;

  const later = (run: () => void, afterMs: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!stopped) run();
    }, afterMs);
    timers.add(timer);
  };

  const arrive = (forMs: number): void => {
    const client = connect({
      herald: fleet.publicUrl,
      topics: [topicName(Math.floor(random() * CLASSES))],
      webSocket: PlainSocket,
      random,
    });
    clients.add(client);
    let home = '';
    client.on('message', () => (counts.messages += 1));
    client.on('moved', ({ to }) => {
      counts.moved += 1;
      home = to;
    });
    client.on('state', (state) => {
      if (state.name === 'connecting') events.onNamed?.(state.gateway, client);
      else if (state.name === 'waiting' && /gateways|load|admit/i.test(state.why)) counts.refused += 1;
      if (state.name === 'live' && home === '') {
        home = state.gateway;
        counts.connected += 1;
      } else if (state.name !== 'live' && home !== '') {
        const left = home;
        home = '';
        events.onLost?.(left, client);
      }
    });
    if (stay) return;
    later(() => {
      client.close();
      clients.delete(client);
    }, forMs);
  };

  for (let i = 0; i < size; i++) {
    later(() => arrive(remainingLifeMs(random(), random())), random() * arriveMs);
  }
  const nextArrival = (): void => {
    later(
      () => {
        arrive(lifeMs(random()));
        nextArrival();
      },
      (-Math.log(1 - random()) * MEAN_LIFE_MS) / size,
    );
  };
  if (!stay) nextArrival();

  const feeds = rates.map((perSec, i) =>
    setInterval(() => {
      // A message that no broker takes is one token less; the figures would show it.
      publisher.publish(topicName(i), i).catch(() => {});
    }, 1_000 / perSec),
  );

  return {
    live: () => [...clients].filter(({ state }) => state.name === 'live').length,
    counts: () => ({ ...counts }),
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      for (const feed of feeds) clearInterval(feed);
      for (const client of clients) client.close();
      await publisher.close();
    },
  };
}

function topicName(index: number): string {
  return `cost.${index}`;
}
