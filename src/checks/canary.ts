// `canary`: one message all the way. Looks up, subscribes at every gateway that was named, publishes through
// a broker as a back end would, and times each arrival.

import { randomBytes } from 'node:crypto';
import { createPublisher } from '../publisher/index.ts';
import type { LookupPick } from '../protocol/lookup.ts';
import { LOOKUP_LIMITS } from '../protocol/lookup.ts';
import type { Hearing } from './core/way.ts';
import type { Listener } from './listen-ws.ts';
import { listen } from './listen-ws.ts';

/** One topic for all checks, so that they leave a single sequence at the brokers. */
export const CANARY_TOPIC = 'herald.check';
/** Gateways one canary listens at: as many as one lookup names. */
export const MAX_LISTENERS = LOOKUP_LIMITS.maxAlternates + 1;

/** Rejects when nothing could be published. Ends within `timeoutMs`. */
export async function sendCanary(
  picks: readonly LookupPick[],
  controlUrl: string,
  timeoutMs: number,
): Promise<Hearing[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const nonce = randomBytes(9).toString('base64url');
  const isOurs = (data: unknown): boolean => (data as { nonce?: unknown } | null)?.nonce === nonce;
  const publisher = await createPublisher({ heralds: [controlUrl], giveUpMs: timeoutMs });
  const listeners: Listener[] = [];
  try {
    for (const pick of picks) listeners.push(listen(pick, CANARY_TOPIC, isOurs, signal));
    await Promise.allSettled(listeners.map(({ ready }) => ready));
    const sentMs = performance.now();
    await publisher.publish(CANARY_TOPIC, { nonce });
    return await Promise.all(listeners.map((listener) => hearing(listener, sentMs)));
  } finally {
    for (const listener of listeners) listener.close();
    await publisher.close();
  }
}

async function hearing({ gateway, ready, heard }: Listener, sentMs: number): Promise<Hearing> {
  try {
    await ready;
    return { gateway, heard: true, afterMs: (await heard) - sentMs };
  } catch (error) {
    return { gateway, heard: false, why: (error as Error).message };
  }
}
