// Keys derived from the one cluster secret, and the signature of reports. Each gateway and purpose has its own
// key, so that one stolen from a gateway forges nothing for another (HKDF, RFC 5869).

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export const MIN_SECRET_CHARS = 16;
/** Of a signed request, as `signFeedback` has it. */
export const SIGNATURE_HEADER = 'herald-signature';
/** Of a Herald's answers: what the next request is signed with. */
export const NONCE_HEADER = 'herald-nonce';

/** The key of one gateway for one purpose. 32 bytes. */
export function deriveKey(secret: string, purpose: 'ticket' | 'feedback', gateway: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'herald.v1', `${purpose}\n${gateway}`, 32));
}

/**
 * Signature of a feedback post: HMAC-SHA-256 over timestamp-free content, since a nonce of the last half minute and
 * the report's own seq already refuse replays. Sent as `Herald-Signature: <gateway>;<nonce>;<hex>`.
 */
export function signFeedback(key: Buffer, nonce: string, body: string): string {
  return createHmac('sha256', key).update(`${nonce}\n`).update(body).digest('hex');
}

/** In constant time for texts of one length. */
export function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
