// Tells every Herald that this broker is there, each second, and learns the other brokers from the answers.
// A Herald that is away costs nothing but the news: publishers and gateways keep the last list they had.

import { Agent, request } from 'undici';
import { every } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import type { SignedExchange } from '../../daemon/signed-exchange.ts';
import { createSignedExchange } from '../../daemon/signed-exchange.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';

const PERIOD_MS = 1_000;
const DEADLINE_MS = 900;
/** A Herald's answer is far shorter; what answers with more is none. */
const dispatcher = new Agent({ maxResponseSize: 1024 * 1024 });

export interface Announcer {
  /** Announces now, as after a change of state. */
  tell(): Promise<void>;
  /** Says goodbye to every Herald. */
  withdraw(): Promise<void>;
}

export interface AnnouncerOptions {
  heralds: readonly string[];
  /** The cluster secret, and the one before a rotation; none = unsigned, which Heralds take on loopback only. */
  secrets: readonly string[];
  address: () => BrokerAddress;
  log: Log;
}

interface Link {
  herald: string;
  signed: SignedExchange;
}

export function startAnnouncing({ heralds, secrets, address, log }: AnnouncerOptions): Announcer {
  const heard = new Map<string, boolean>();
  const links = heralds.map((herald) => ({ herald, signed: createSignedExchange(address().id, secrets) }));

  const send = async ({ herald, signed }: Link, method: 'POST' | 'DELETE'): Promise<void> => {
    const { id, epoch } = address();
    const body = method === 'POST' ? JSON.stringify(address()) : '';
    const url = `${herald.replace(/\/$/, '')}/v1/brokers${method === 'DELETE' ? `/${id}?epoch=${epoch}` : ''}`;
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { status, answer } = await signed(body, async (signature) => {
      const reply = await request(url, {
        method,
        ...(body !== '' && { body }),
        headers: { ...(body !== '' && { 'content-type': 'application/json' }), ...signature },
        signal,
        dispatcher,
      });
      const { statusCode, headers } = reply;
      return { status: statusCode, headers, answer: await reply.body.text() };
    });
    if (status === 409) throw new Error(`a broker that came later has the name ${id}`);
    if (status >= 300) throw new Error(`HTTP ${status}: ${answer.slice(0, 300)}`);
  };

  const announceTo = async (link: Link): Promise<void> => {
    const { herald } = link;
    try {
      await send(link, 'POST');
      if (heard.get(herald) !== true) log.info('announced', { herald });
      heard.set(herald, true);
    } catch (error) {
      if (heard.get(herald) !== false) log.warn('not-announced', { herald, ...errorFields(error) });
      heard.set(herald, false);
    }
  };
  const underWay = new Set<Promise<unknown>>();
  const tell = async (): Promise<void> => {
    const all = Promise.all(links.map(announceTo));
    underWay.add(all);
    await all;
    underWay.delete(all);
  };

  void tell();
  const stop = every(PERIOD_MS, () => void tell());
  return {
    tell,
    async withdraw() {
      stop();
      // One that arrives after the goodbye would undo it.
      await Promise.all(underWay);
      await Promise.allSettled(links.map((link) => send(link, 'DELETE')));
    },
  };
}
