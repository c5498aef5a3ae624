// HTTP publish with a publisher of its own, which finds the owners of topics as any other does.

import type { Address } from '../daemon/address.ts';
import type { Log } from '../daemon/log.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { createPublisher } from '../publisher/index.ts';
import type { BrokerConfig } from './config-check.ts';
import { peerKeys } from './config-check.ts';
import { startHttpPublish } from './http-publish.ts';

export interface HttpDoor {
  url: string;
  close(): Promise<void>;
}

/** Shorter than the request timeout, so that the caller hears why. */
const GIVE_UP_MS = 5_000;

export async function openHttpDoor(
  listen: Address,
  config: BrokerConfig,
  brokers: readonly BrokerAddress[],
  log: Log,
  state: () => 'up' | 'draining',
  degraded: () => readonly string[],
  snapshot: () => unknown,
): Promise<HttpDoor> {
  const curve = peerKeys(config);
  const publisher = await createPublisher({
    heralds: config.heralds,
    brokers,
    ...(curve && { curve }),
    giveUpMs: GIVE_UP_MS,
  });
  try {
    const door = await startHttpPublish({
      listen,
      token: config.publishToken,
      log,
      publisher,
      state,
      degraded,
      snapshot,
    });
    return {
      url: door.url,
      async close() {
        await door.close();
        await publisher.close();
      },
    };
  } catch (error) {
    await publisher.close();
    throw error;
  }
}
