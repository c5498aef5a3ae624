// `canary`: one message all the way. Looks up, subscribes at every gateway that was named, publishes through
// a broker as a back end would, and times each arrival.

import { randomBytes } from 'node:crypto';
import { messageOf } from '../daemon/thrown.ts';
import type { BrokerReach } from '../publisher/broker-reach.ts';
import { createPublisher } from '../publisher/index.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { fieldsOf } from '../protocol/decode.ts';
import type { LookupPick } from '../protocol/lookup.ts';
import { LOOKUP_LIMITS } from '../protocol/lookup.ts';
import type { Hearing } from './core/way.ts';
import type { Listener } from './listen-ws.ts';
import { listen } from './listen-ws.ts';
import { reach } from './reach.ts';

/** One topic for all checks, so that they leave a single sequence at the brokers. */
const CANARY_TOPIC = 'herald.check';
/** Gateways one canary listens at: as many as one lookup names. */
export const MAX_LISTENERS = LOOKUP_LIMITS.maxAlternates + 1;
const REACH_MS = 1_000;

export type Sent =
  | { ok: true; hearings: Hearing[] }
  /** Nothing was published; `critical` when the brokers are to blame, `unknown` when this check may be. */
  | { ok: false; severity: 'critical' | 'unknown'; why: string };

/** `brokers` is not empty. Ends within twice `timeoutMs`; never rejects. */
export async function sendCanary(
  picks: readonly LookupPick[],
  { brokers, curve }: BrokerReach,
  timeoutMs: number,
): Promise<Sent> {
  const signal = AbortSignal.timeout(timeoutMs);
  const nonce = randomBytes(9).toString('base64url');
  const isOurs = (data: unknown): boolean => fieldsOf(data)['nonce'] === nonce;
  const publisher = await createPublisher({ brokers, giveUpMs: timeoutMs, ...(curve && { curve }) });
  const listeners: Listener[] = [];
  try {
    for (const pick of picks) listeners.push(listen(pick, CANARY_TOPIC, isOurs, signal));
    await Promise.allSettled(listeners.map(({ ready }) => ready));
    const sentMs = performance.now();
    await publisher.publish(CANARY_TOPIC, { nonce });
    return { ok: true, hearings: await Promise.all(listeners.map((listener) => hearing(listener, sentMs))) };
  } catch (error) {
    const connected = publisher.snapshot().brokers.some((broker) => broker.connected);
    if (connected) return { ok: false, severity: 'critical', why: messageOf(error) };
    return await whyNoBroker(brokers, curve !== undefined);
  } finally {
    for (const listener of listeners) listener.close();
    await publisher.close();
  }
}

/** A broker that takes a TCP connection and no ZeroMQ one may serve everybody who has the right keys. */
async function whyNoBroker(brokers: readonly BrokerAddress[], hasKeys: boolean): Promise<Sent> {
  const reached = await Promise.all(
    brokers.map(async ({ id, publish }) => ({ id, publish, to: await reach(publish, REACH_MS) })),
  );
  const refuses = reached.find(({ to }) => to.ok);
  if (refuses) {
    const keys = hasKeys
      ? 'are the CURVE keys the right ones?'
      : 'where brokers encrypt, give --broker-server-key, --curve-public-key and --curve-secret-key';
    return { ok: false, severity: 'unknown', why: `${refuses.id} lets this check not in; ${keys}` };
  }
  const troubles = reached.map(({ id, publish, to }) => `${id} at ${publish}: ${to.ok ? '' : to.why}`);
  return { ok: false, severity: 'critical', why: `no broker takes a connection: ${troubles.join(', ')}` };
}

async function hearing({ gateway, ready, heard }: Listener, sentMs: number): Promise<Hearing> {
  try {
    await ready;
    return { gateway, heard: true, afterMs: (await heard) - sentMs };
  } catch (error) {
    return { gateway, heard: false, why: messageOf(error) };
  }
}
