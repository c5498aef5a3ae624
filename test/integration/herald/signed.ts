// Signs posts as gateways and brokers do.

import { deriveKey, signFeedback } from '../../../src/daemon/secrets.ts';
import type { Answer, OneHerald } from './one-herald.ts';
import { ask, send } from './one-herald.ts';

/** The nonce Herald tells everybody. */
export async function nonceOf(herald: OneHerald): Promise<string> {
  const { headers } = await ask(`${herald.addresses.control}/v1/brokers`);
  return headers.get('herald-nonce') ?? '';
}

export function signature(secret: string, id: string, nonce: string, body: string): Record<string, string> {
  const key = deriveKey(secret, 'feedback', id);
  return { 'herald-signature': `${id};${nonce};${signFeedback(key, nonce, body)}` };
}

export async function signedPost(
  herald: OneHerald,
  secret: string,
  id: string,
  body: unknown,
  path = '/v1/feedback',
): Promise<Answer> {
  const text = JSON.stringify(body);
  return send(`${herald.addresses.control}${path}`, text, signature(secret, id, await nonceOf(herald), text));
}
