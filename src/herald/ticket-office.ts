// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret. A
// lookup hands out four tickets, so what one costs counts: keys are kept prepared, and for a gateway that is named
// often a run of tickets is signed at once, because one of many costs a tenth of one alone
// (bench/decision.ts). What comes out is exactly `encodeTicket` of src/protocol, which a test checks.

import { deriveKey } from '../daemon/secrets.ts';
import { macAt, TicketKey, verifyTicket } from '../daemon/ticket-key.ts';
import type { Ticket } from '../protocol/ticket.ts';
import { TICKET_RUN } from './core/tickets.ts';
import { inOnePiece } from './in-one-piece.ts';

export interface TicketOffice {
  /** Opens the book of a gateway, whose tickets are to be written behind `before`. */
  open(gateway: string, before?: string): TicketBook;
  /** Whether a ticket that came back was signed here for `gateway`. */
  isSigned: (gateway: string, ticket: Ticket) => boolean;
}

export interface TicketBook {
  /** `before` and ticket `seq`, signed at most `SIGNED_AHEAD_MS` before `nowMs`. */
  issue(seq: number, nowMs: number): string;
}

/** A ticket handed out may have lost this much of its life already. */
export const SIGNED_AHEAD_MS = 1_000;

/**
 * Without a secret the signature proves nothing, and gateways without one check none; it is made all the
 * same so that a ticket has one form.
 */
export function createTicketOffice(secret: string, heraldId: string): TicketOffice {
  return {
    open(gateway, before = '') {
      const key = new TicketKey(deriveKey(secret, 'ticket', gateway), heraldId);
      return new SignedAhead(key, `${before}t1.${heraldId}.`);
    },
    isSigned: (gateway, ticket) => verifyTicket(deriveKey(secret, 'ticket', gateway), ticket),
  };
}

class SignedAhead implements TicketBook {
  readonly #key: TicketKey;
  readonly #prefix: string;
  /** Signatures of tickets `first` to before `end`, and what their texts have in common behind the number. */
  #macs = '';
  #first = 0;
  #end = 0;
  #issuedMs = -Infinity;
  #issued = '';
  /** Signed at once next time; grows while they are used in time. */
  #ahead = 1;
  /** What comes before the last digit of numbers from `tens * 36`. */
  #head = '';
  #tens = NaN;

  constructor(key: TicketKey, prefix: string) {
    this.#key = key;
    this.#prefix = prefix;
  }

  issue(seq: number, nowMs: number): string {
    const ageMs = nowMs - this.#issuedMs;
    const inTime = ageMs >= 0 && ageMs <= SIGNED_AHEAD_MS;
    if (!inTime || seq < this.#first || seq >= this.#end) {
      this.#ahead = inTime ? Math.min(TICKET_RUN, 2 * this.#ahead) : Math.max(1, this.#ahead >> 1);
      this.#sign(seq, nowMs);
    }
    const tens = Math.floor(seq / 36);
    if (tens !== this.#tens) this.#begin(tens);
    return this.#head + (seq - tens * 36).toString(36) + this.#issued + macAt(this.#macs, seq - this.#first);
  }

  #sign(seq: number, issuedMs: number): void {
    // A run of numbers belongs to one gateway; what follows it may be another's.
    const count = Math.min(this.#ahead, TICKET_RUN - (seq % TICKET_RUN));
    this.#macs = this.#key.sign(seq, count, issuedMs);
    this.#issued = inOnePiece(`.${base36(issuedMs)}.`);
    this.#first = seq;
    this.#end = seq + count;
    this.#issuedMs = issuedMs;
  }

  #begin(tens: number): void {
    this.#tens = tens;
    this.#head = inOnePiece(this.#prefix + (tens > 0 ? base36(tens) : ''));
  }
}

/** In two halves, for past 2^31 the engine's own way is slow. */
function base36(value: number): string {
  const half = 36 ** 5;
  if (value < half) return value.toString(36);
  return Math.floor(value / half).toString(36) + (value % half).toString(36).padStart(5, '0');
}
