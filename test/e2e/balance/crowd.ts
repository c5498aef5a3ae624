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
const FEED_EACH_MS = 50;
/** Messages a second to a mean connection. */
const MEAN_RATE_PER_SEC = 1.6;

export interface Crowd {
  live(): number;
  counts(): { connected: number; refused: number; moved: number; messages: number };
  stop(): Promise<void>;
}

export interface CrowdPlan {
  size: number;
  /** Over how long the first `size` clients come. */
  arriveMs: number;
  /** Nobody leaves, so nobody new comes. */
  stay?: boolean;
  random: () => number;
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
 * Brings in `size` clients as if found in the middle of their lives, and from then on as many new ones as leave.
 * All of it goes by the clock and not by timers, which are late on a busy machine: what is late is made up for.
 */
export async function startCrowd(
  fleet: FleetProcesses,
  { size, arriveMs, stay = false, random }: CrowdPlan,
  events: CrowdEvents = {},
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
      herald: fleet.publicUrls,
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
  const startMs = performance.now();
  let arrivalDueMs = startMs;
  const nextArrival = (): void => {
    arrivalDueMs += (-Math.log(1 - random()) * MEAN_LIFE_MS) / size;
    later(
      () => {
        arrive(lifeMs(random()));
        nextArrival();
      },
      Math.max(0, arrivalDueMs - performance.now()),
    );
  };
  if (!stay) nextArrival();

  const published = rates.map(() => 0);
  const feed = setInterval(() => {
    const seconds = (performance.now() - startMs) / 1_000;
    for (const [i, perSec] of rates.entries()) {
      for (const due = Math.floor(seconds * perSec); published[i]! < due; published[i]!++) {
        // A message that no broker takes is one token less; the figures would show it.
        publisher.publish(topicName(i), i).catch(() => {});
      }
    }
  }, FEED_EACH_MS);

  return {
    live: () => [...clients].filter(({ state }) => state.name === 'live').length,
    counts: () => ({ ...counts }),
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      clearInterval(feed);
      for (const client of clients) client.close();
      await publisher.close();
    },
  };
}

function topicName(index: number): string {
  return `cost.${index}`;
}
