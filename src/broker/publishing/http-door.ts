// HTTP publish with a publisher of its own, which finds the owners of topics as any other does.

import type { BrokerAddress } from '../../protocol/broker-address.ts';
import { createPublisher } from '../../publisher/index.ts';
import type { BrokerConfig } from '../config/config-check.ts';
import { peerKeys } from '../config/config-check.ts';
import type { HttpPublishOptions } from './http-publish.ts';
import { startHttpPublish } from './http-publish.ts';

export interface HttpDoor {
  url: string;
  close(): Promise<void>;
}

/** Shorter than the request timeout, so that the caller hears why. */
const GIVE_UP_MS = 5_000;

export interface HttpDoorParts extends Omit<HttpPublishOptions, 'token' | 'publisher'> {
  config: BrokerConfig;
  brokers: readonly BrokerAddress[];
}

export async function openHttpDoor({ config, brokers, ...parts }: HttpDoorParts): Promise<HttpDoor> {
  const curve = peerKeys(config);
  const publisher = await createPublisher({
    heralds: config.heralds,
    brokers,
    ...(curve && { curve }),
    giveUpMs: GIVE_UP_MS,
  });
  try {
    const door = await startHttpPublish({ ...parts, token: config.publishToken, publisher });
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
