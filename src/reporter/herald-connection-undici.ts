// (1) The one connection to one Herald. Kept alive on purpose: its close without a goodbye tells Herald of a
// death milliseconds after it happened.

import type { IncomingHttpHeaders } from 'node:http';
import { Client } from 'undici';
import { createSignedExchange } from '../daemon/signed-exchange.ts';

const REQUEST_DEADLINE_MS = 2_000;
const GOODBYE_DEADLINE_MS = 1_000;
/** Longer than any report period, so that only a death or a goodbye closes the connection. */
const KEEP_ALIVE_MS = 90_000;
const MAX_REPLY_BYTES = 1024 * 1024;

export interface HeraldAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Both questions have a deadline and reject where no answer comes; they are signed where there is a secret. */
export interface HeraldConnection {
  report(body: string): Promise<HeraldAnswer>;
  /** Says that the gateway leaves. */
  goodbye(): Promise<void>;
  /** What is under way rejects. */
  destroy(): Promise<void>;
}

/** `base`: what the paths of the API follow. `secrets`: the likeliest to be right first. */
export function openHeraldConnection(
  base: string,
  gateway: string,
  secrets: readonly string[],
): HeraldConnection {
  const { origin } = new URL(base);
  const below = base.slice(origin.length);
  const client = new Client(origin, {
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: REQUEST_DEADLINE_MS,
    bodyTimeout: REQUEST_DEADLINE_MS,
    connect: { timeout: REQUEST_DEADLINE_MS },
    maxResponseSize: MAX_REPLY_BYTES,
  });
  const signed = createSignedExchange(gateway, secrets);
  const ask = (
    method: 'POST' | 'DELETE',
    path: string,
    body: string,
    deadlineMs: number,
  ): Promise<HeraldAnswer> => {
    const signal = AbortSignal.timeout(deadlineMs);
    return signed(body, async (signature) => {
      const reply = await client.request({
        method,
        path: below + path,
        headers: { ...(body !== '' && { 'content-type': 'application/json' }), ...signature },
        ...(body !== '' && { body }),
        signal,
      });
      return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
    });
  };
  return {
    report: (body) => ask('POST', '/v1/feedback', body, REQUEST_DEADLINE_MS),
    async goodbye() {
      await ask('DELETE', `/v1/feedback/${encodeURIComponent(gateway)}`, '', GOODBYE_DEADLINE_MS);
    },
    destroy: () => client.destroy(),
  };
}
