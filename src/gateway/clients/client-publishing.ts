// (8) -> (7) What clients publish goes to the brokers as what any back end publishes does.

import { atMost } from '../../daemon/clock.ts';
import { messageOf } from '../../daemon/thrown.ts';
import type { BrokerReach } from '../../publisher/broker-reach.ts';
import { createPublisher, PublishError } from '../../publisher/index.ts';
import type { PublishForClient } from '../gateway-parts.ts';

/** A client hears by then that no broker took it. */
const DEADLINE_MS = 5_000;
/** At a stop: none of the clients is there any more to hear of it. */
const CLOSE_AT_MOST_MS = 1_000;
/** Of publications that wait for a broker, together: a gateway has better uses for its memory. */
const MAX_WAITING_BYTES = 33_554_432;

export interface ClientPublishing {
  publish: PublishForClient;
  close(): Promise<void>;
}

export async function openClientPublishing(
  heralds: readonly string[],
  reach: BrokerReach,
): Promise<ClientPublishing> {
  const publisher = await createPublisher({
    heralds,
    giveUpMs: DEADLINE_MS,
    maxQueuedBytes: MAX_WAITING_BYTES,
    ...reach,
  });
  return {
    async publish(topic, data) {
      try {
        await publisher.publishJson(topic, data);
        return { ok: true };
      } catch (error) {
        return { ok: false, why: error instanceof PublishError ? error.outcome : messageOf(error) };
      }
    },
    close: () => atMost(CLOSE_AT_MOST_MS, publisher.close()),
  };
}
