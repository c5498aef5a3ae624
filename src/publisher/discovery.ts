// (7) Where the brokers are: asked of the Heralds each second, the first that answers. An answer without brokers
// (a Herald that just started) changes nothing: the last good list stands.

import { Agent, request } from 'undici';
import { every } from '../daemon/clock.ts';
import { decodeBrokerList } from '../protocol/broker-address.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import { fieldsOf } from '../protocol/decode.ts';

const PERIOD_MS = 1_000;
const DEADLINE_MS = 1_000;
/** The longest list of brokers is far shorter; what answers with more is no Herald. */
const dispatcher = new Agent({ maxResponseSize: 1024 * 1024 });

/** Asks each Herald in turn; undefined when none knows a broker. */
export async function askForBrokers(heralds: readonly string[]): Promise<BrokerAddress[] | undefined> {
  for (const herald of heralds) {
    try {
      const reply = await request(`${herald.replace(/\/$/, '')}/v1/brokers`, {
        signal: AbortSignal.timeout(DEADLINE_MS),
        dispatcher,
      });
      const body: unknown = await reply.body.json();
      const brokers = reply.statusCode === 200 ? brokersIn(body) : [];
      if (brokers.length > 0) return brokers;
    } catch {
      // The next one may know; a silent Herald shows in its own health, not here.
    }
  }
  return undefined;
}

/** Calls `onBrokers` with every answer until stopped. */
export function followBrokers(
  heralds: readonly string[],
  onBrokers: (brokers: BrokerAddress[]) => void,
): () => void {
  let stopped = false;
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    const brokers = await askForBrokers(heralds);
    asking = false;
    if (brokers && !stopped) onBrokers(brokers);
  };
  const stop = every(PERIOD_MS, () => void ask());
  return () => {
    stopped = true;
    stop();
  };
}

function brokersIn(body: unknown): BrokerAddress[] {
  const list = decodeBrokerList(fieldsOf(body)['brokers']);
  return list.ok ? list.value : [];
}
