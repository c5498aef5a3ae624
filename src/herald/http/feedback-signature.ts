// (1) Who may report for a gateway: the holder of the key derived for it from the cluster secret. Sent as
// `Herald-Signature: <gateway>;<nonce>;<hex>`, an HMAC over the nonce and the body (src/daemon/secrets.ts). The nonce is
// one that this Herald told in `Herald-Nonce` a short while ago. No clock of another machine is read.

import type { Clock } from '../../daemon/clock.ts';
import { deriveKey, sameText, signFeedback } from '../../daemon/secrets.ts';
import type { Decoded } from '../../protocol/decode.ts';
import { decoding, refuse } from '../../protocol/decode.ts';
import { createNonces } from './nonces.ts';

export interface SignatureCheck {
  /** To be told with an answer. Undefined when no secret is configured: then nothing is checked. */
  nonce(): string | undefined;
  /** Answers who signed; empty when nothing is checked. `body` is the text as received. */
  signer(header: string | string[] | undefined, body: string): Decoded<string>;
  /** `id` has said goodbye: what it signed until now is not taken again. */
  spend(id: string): void;
}

const MAX_KEYS = 100_000;
const FORM = /^([A-Za-z0-9][A-Za-z0-9._:-]{0,127});([\x21-\x3a\x3c-\x7e]{1,128});([0-9a-f]{64})$/;

export function createSignatureCheck(secret: string, goodForMs: number, clock: Clock): SignatureCheck {
  if (secret === '') {
    return { nonce: () => undefined, signer: () => ({ ok: true, value: '' }), spend: () => {} };
  }
  const nonces = createNonces(goodForMs, clock);
  const keys = new Map<string, Buffer>();
  const keyOf = (id: string): Buffer => {
    let key = keys.get(id);
    if (key === undefined) {
      // Anybody can name ids here, so the map is emptied rather than trusted.
      if (keys.size >= MAX_KEYS) keys.clear();
      key = deriveKey(secret, 'feedback', id);
      keys.set(id, key);
    }
    return key;
  };
  return {
    nonce: () => nonces.current(),
    spend: (id) => nonces.spend(id),
    signer: (header, body) =>
      decoding(() => {
        const parts = typeof header === 'string' ? FORM.exec(header) : null;
        if (!parts) return refuse('Herald-Signature', header, '<id>;<nonce>;<64 hex digits>');
        const [, id = '', nonce = '', mac = ''] = parts;
        if (!nonces.isGood(nonce, id)) {
          return refuse('Herald-Signature', nonce, 'the nonce of the Herald-Nonce header');
        }
        if (!sameText(signFeedback(keyOf(id), nonce, body), mac)) {
          // The received signature is not repeated: it might be right for another body.
          return refuse('Herald-Signature', id, 'a signature made with the key of this id');
        }
        return id;
      }),
  };
}
