// Tells every Herald that this broker is there, each second, and learns the other brokers from the answers.
// A Herald that is away costs nothing but the news: publishers and gateways keep the last list they had.

import { request } from 'undici';
import { every } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import { errorFields } from '../daemon/log.ts';
import { deriveKey, signFeedback } from '../daemon/secrets.ts';
import type { BrokerAddress } from '../protocol/load-report.ts';

const PERIOD_MS = 1_000;
const DEADLINE_MS = 900;

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

export function startAnnouncing({ heralds, secrets, address, log }: AnnouncerOptions): Announcer {
  const keys = secrets.map((secret) => deriveKey(secret, 'feedback', address().id));
  const heard = new Map<string, boolean>();
  const nonces = new Map<string, string>();
  /** Which key each Herald was last signed to with. */
  const keyOf = new Map<string, number>();

  const send = async (herald: string, method: 'POST' | 'DELETE', tries = keys.length): Promise<void> => {
    const { id, epoch } = address();
    const body = method === 'POST' ? JSON.stringify(address()) : '';
    const nonce = nonces.get(herald);
    const at = keyOf.get(herald) ?? 0;
    const key = keys[at];
    const signature =
      key && nonce !== undefined ? `${id};${nonce};${signFeedback(key, nonce, body)}` : undefined;
    const url = `${herald.replace(/\/$/, '')}/v1/brokers${method === 'DELETE' ? `/${id}?epoch=${epoch}` : ''}`;
    const reply = await request(url, {
      method,
      ...(body !== '' && { body }),
      headers: {
        ...(body !== '' && { 'content-type': 'application/json' }),
        ...(signature !== undefined && { 'herald-signature': signature }),
      },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await reply.body.dump();
    const fresh = reply.headers['herald-nonce'];
    if (typeof fresh === 'string') nonces.set(herald, fresh);
    if (reply.statusCode === 401 && tries > 0 && typeof fresh === 'string') {
      // Known already: it is the key that is wrong.
      if (fresh === nonce) keyOf.set(herald, (at + 1) % keys.length);
      return send(herald, method, tries - 1);
    }
    if (reply.statusCode === 409) throw new Error(`a broker that came later has the name ${id}`);
    if (reply.statusCode >= 300) throw new Error(`HTTP ${reply.statusCode}`);
  };

  const announceTo = async (herald: string): Promise<void> => {
    try {
      await send(herald, 'POST');
      if (heard.get(herald) !== true) log.info('announced', { herald });
      heard.set(herald, true);
    } catch (error) {
      if (heard.get(herald) !== false) log.warn('not-announced', { herald, ...errorFields(error) });
      heard.set(herald, false);
    }
  };
  const underWay = new Set<Promise<unknown>>();
  const tell = async (): Promise<void> => {
    const all = Promise.all(heralds.map(announceTo));
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
      await Promise.allSettled(heralds.map((herald) => send(herald, 'DELETE')));
    },
  };
}
