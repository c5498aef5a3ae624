// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret. A
// lookup signs four tickets, so this is most of what a lookup costs: keys are kept prepared, and the texts
// that change slowly are kept as texts. What comes out is exactly `encodeTicket` of src/protocol, which a
// test checks.

import { deriveKey } from '../daemon/secrets.ts';
import type { MacKey } from './hmac-sha256.ts';
import { macKey, macText } from './hmac-sha256.ts';

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
  const gateways = new Map<string, { key: MacKey; claims: string }>();
  const decimal = numberTexts(10, 8);
  const base36 = numberTexts(36, 5);
  let issued = { ms: NaN, decimal: '', base36: '' };
  return {
    issue(gateway, seq, issuedMs) {
      let known = gateways.get(gateway);
      if (known === undefined) {
        if (gateways.size >= MAX_KEYS) gateways.clear();
        known = {
          key: macKey(deriveKey(secret, 'ticket', gateway)),
          claims: `t1\n${gateway}\n${heraldId}\n`,
        };
        gateways.set(gateway, known);
      }
      if (issued.ms !== issuedMs) {
        issued = { ms: issuedMs, decimal: String(issuedMs), base36: issuedMs.toString(36) };
      }
      const mac = macText(known.key, `${known.claims}${decimal(seq)}\n${issued.decimal}`);
      return `t1.${heraldId}.${base36(seq)}.${issued.base36}.${mac}`;
    },
  };
}

/**
 * Writes numbers that grow by one: past 2^31 the engine's own way costs microseconds, so the upper digits are
 * kept as text and only the lower ones, a small integer, are written anew.
 */
function numberTexts(radix: number, lowDigits: number): (value: number) => string {
  const lowSize = radix ** lowDigits;
  let high = NaN;
  let highText = '';
  return (value) => {
    const upper = Math.floor(value / lowSize);
    if (upper === 0) return value.toString(radix);
    if (upper !== high) {
      high = upper;
      highText = upper.toString(radix);
    }
    return highText + (value - upper * lowSize).toString(radix).padStart(lowDigits, '0');
  };
}
