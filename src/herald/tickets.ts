// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret; the
// derived keys are kept, since deriving one costs more than a whole lookup.

import { deriveKey, signTicket } from '../daemon/secrets.ts';
import { encodeTicket } from '../protocol/ticket.ts';

export interface TicketOffice {
  issue(gateway: string, seq: number, issuedMs: number): string;
}

/** Keys kept at most; beyond, all are dropped and derived again as needed. */
const MAX_KEYS = 100_000;

/**
 * Without a secret the signature proves nothing, and gateways without one check none; it is made all the
 * same so that a ticket has one form.
 */
export function createTicketOffice(secret: string, heraldId: string): TicketOffice {
  const keys = new Map<string, Buffer>();
  return {
    issue(gateway, seq, issuedMs) {
      let key = keys.get(gateway);
      if (key === undefined) {
        if (keys.size >= MAX_KEYS) keys.clear();
        key = deriveKey(secret, 'ticket', gateway);
        keys.set(gateway, key);
      }
      const claims = { heraldId, seq, issuedMs };
      return encodeTicket({ ...claims, mac: signTicket(key, claims, gateway) });
    },
  };
}
