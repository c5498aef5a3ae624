// Keys derived from the one cluster secret, and the signatures made with them. Each gateway and purpose has
// its own key, so that one stolen from a gateway forges nothing for another (HKDF, RFC 5869).

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Ticket } from '../protocol/ticket.ts';
import { ticketClaims } from '../protocol/ticket.ts';

export const MIN_SECRET_CHARS = 16;
const MAC_BYTES = 16;

/** The key of one gateway for one purpose. 32 bytes. */
export function deriveKey(secret: string, purpose: 'ticket' | 'feedback', gateway: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'herald.v1', `${purpose}\n${gateway}`, 32));
}

/** Signs a ticket: 22 characters of base64url. */
export function signTicket(key: Buffer, ticket: Omit<Ticket, 'mac'>, gateway: string): string {
  return createHmac('sha256', key)
    .update(ticketClaims(ticket, gateway))
    .digest()
    .subarray(0, MAC_BYTES)
    .toString('base64url');
}

/** Compares in constant time. */
export function verifyTicket(key: Buffer, ticket: Ticket, gateway: string): boolean {
  return sameText(signTicket(key, ticket, gateway), ticket.mac);
}

/**
 * Signature of a feedback post: HMAC-SHA-256 over timestamp-free content, since a nonce per boot and the
 * report's own seq already refuse replays. Sent as `Herald-Signature: <gateway>;<nonce>;<hex>`.
 */
export function signFeedback(key: Buffer, nonce: string, body: string): string {
  return createHmac('sha256', key).update(`${nonce}\n`).update(body).digest('hex');
}

export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
