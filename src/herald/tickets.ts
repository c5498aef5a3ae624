// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret. A
// lookup hands out four tickets, so what one costs counts: keys are kept prepared, and for a gateway that is named
// often a run of tickets is signed and written at once, because one of many costs a seventh of one alone. What
// comes out is exactly `encodeTicket` of src/protocol, which a test checks.

import { deriveKey } from '../daemon/secrets.ts';
import { TicketKey } from '../daemon/ticket-key.ts';
import { TICKET_RUN } from './core/tickets.ts';

export interface TicketOffice {
  /** Opens the book of a gateway, whose tickets are to be written behind `before`. */
  open(gateway: string, before?: string): TicketBook;
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
  const base36 = base36Texts();
  return {
    open(gateway, before = '') {
      const key = new TicketKey(deriveKey(secret, 'ticket', gateway), heraldId);
      return new SignedAhead(key, `${before}t1.${heraldId}.`, base36);
    },
  };
}

class SignedAhead implements TicketBook {
  readonly #key: TicketKey;
  readonly #prefix: string;
  readonly #base36: (value: number) => string;
  /** Tickets `first`, `first + 1` and so on, signed at `issuedMs`. */
  #tickets: string[] = [];
  #first = 0;
  #issuedMs = -Infinity;
  /** Signed at once next time; grows while they are used in time. */
  #ahead = 1;

  constructor(key: TicketKey, prefix: string, base36: (value: number) => string) {
    this.#key = key;
    this.#prefix = prefix;
    this.#base36 = base36;
  }

  issue(seq: number, nowMs: number): string {
    const ageMs = nowMs - this.#issuedMs;
    const inTime = ageMs >= 0 && ageMs <= SIGNED_AHEAD_MS;
    const known = inTime ? this.#tickets[seq - this.#first] : undefined;
    if (known !== undefined) return known;
    this.#ahead = inTime ? Math.min(TICKET_RUN, 2 * this.#ahead) : Math.max(1, this.#ahead >> 1);
    this.#sign(seq, nowMs);
    return this.#tickets[0]!;
  }

  #sign(seq: number, issuedMs: number): void {
    // A run of numbers belongs to one gateway; what follows it may be another's.
    const count = Math.min(this.#ahead, TICKET_RUN - (seq % TICKET_RUN));
    const issued = `.${issuedMs.toString(36)}.`;
    const macs = this.#key.sign(seq, count, issuedMs);
    // Written as one text and cut: the pieces then lie side by side, and nothing is copied again.
    let run = '';
    const ends = macs.map((mac, i) => (run += this.#prefix + this.#base36(seq + i) + issued + mac).length);
    run = inOnePiece(run);
    this.#tickets = ends.map((end, i) => run.slice(i === 0 ? 0 : ends[i - 1], end));
    this.#first = seq;
    this.#issuedMs = issuedMs;
  }
}

/**
 * The same text. The engine keeps what was put together as a tree and copies it leaf by leaf when it is sent, cold;
 * to read a character makes it one piece, here where all of it is at hand.
 */
export function inOnePiece(text: string): string {
  return text.charCodeAt(0) > 0 ? text : '';
}

/**
 * Writes numbers of which most follow each other in base 36: past 2^31 the engine's own way costs microseconds, so the
 * upper digits are kept as text and the two lowest ones come from a table.
 */
function base36Texts(): (value: number) => string {
  const size = 36 ** 2;
  const lowTexts = Array.from({ length: size }, (_, low) => low.toString(36).padStart(2, '0'));
  let high = NaN;
  let highText = '';
  return (value) => {
    const upper = Math.floor(value / size);
    if (upper === 0) return value.toString(36);
    if (upper !== high) {
      high = upper;
      highText = upper.toString(36);
    }
    return highText + lowTexts[value - upper * size]!;
  };
}
