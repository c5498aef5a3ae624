// The ticket that goes with a lookup's answer: proof that a Herald sent this client to this gateway. It is
// text fit for a WebSocket subprotocol item (RFC 6455 section 4.1 asks for an HTTP token), so it never
// needs the URL. The gateway is not written in it, but the key is one of that gateway and that Herald: a ticket
// for one gateway is worth nothing at another.
//
//   t1.<heraldId>.<seq base36>.<issuedMs base36>.<22 characters of base64url: 16 bytes of AES-256-CMAC>
//
// The signature is over 16 bytes: seq and issuedMs, 8 each, big-endian. Its key is HMAC-SHA-256 of the Herald's id
// under the gateway's own key, which is HKDF-SHA-256 of the cluster secret (salt "herald.v1", info
// "ticket\n<gateway>", 32 bytes).

import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';

export interface Ticket {
  heraldId: string;
  /** Unique for its Herald since its start; makes a ticket usable once. */
  seq: number;
  /** Issue time on the ticket clock of that Herald (see FeedbackReply.nowMs). */
  issuedMs: number;
  /** Signature, base64url. */
  mac: string;
}

export const TICKET_TTL_MS = 30_000;
/** The subprotocol item that carries it: `herald.ticket.<ticket>`. */
export const TICKET_PROTOCOL_PREFIX = 'herald.ticket.';

export function encodeTicket(ticket: Ticket): string {
  return `t1.${ticket.heraldId}.${ticket.seq.toString(36)}.${ticket.issuedMs.toString(36)}.${ticket.mac}`;
}

// A Herald id may itself hold dots; the other fields cannot, so the greedy group is unambiguous.
const TICKET =
  /^t1\.([A-Za-z0-9][A-Za-z0-9._-]{0,127})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{22})$/;

export function decodeTicket(text: string): Decoded<Ticket> {
  return decoding(() => {
    const parts = text.length <= 256 ? TICKET.exec(text) : null;
    if (!parts) return refuse('ticket', text, 't1.<herald>.<seq>.<issued>.<signature>');
    const seq = Number.parseInt(parts[2]!, 36);
    const issuedMs = Number.parseInt(parts[3]!, 36);
    if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(issuedMs)) {
      refuse('ticket', text, 'seq and issue time within 2^53');
    }
    return { heraldId: parts[1]!, seq, issuedMs, mac: parts[4]! };
  });
}
