// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret. A
// lookup hands out four tickets, so what one costs counts: keys are kept prepared, and for a gateway that is named
// often a few tickets are signed at once, because one among eight costs a quarter of one alone. What
// comes out is exactly `encodeTicket` of src/protocol, which a test checks.

import { deriveKey } from '../daemon/secrets.ts';
import { TicketKey } from '../daemon/ticket-key.ts';
import { TICKET_RUN } from './core/tickets.ts';

export interface TicketOffice {
  /** Ticket `seq` for `gateway`, signed at most `SIGNED_AHEAD_MS` before `nowMs`. */
  issue(gateway: string, seq: number, nowMs: number): string;
}

/** A ticket handed out may have lost this much of its life already. */
export const SIGNED_AHEAD_MS = 1_000;
/** Keys kept at most; beyond, all are dropped and derived again as needed. */
const MAX_KEYS = 100_000;

interface Book {
  key: TicketKey;
  /** Tickets `first`, `first + 1` and so on, signed at `issuedMs`. */
  tickets: string[];
  first: number;
  issuedMs: number;
  /** Signed at once next time; grows while they are used in time. */
  ahead: number;
}

/**
 * Without a secret the signature proves nothing, and gateways without one check none; it is made all the
 * same so that a ticket has one form.
 */
export function createTicketOffice(secret: string, heraldId: string): TicketOffice {
  const books = new Map<string, Book>();
  const base36 = base36Texts();
  const prefix = `t1.${heraldId}.`;

  const open = (gateway: string): Book => {
    if (books.size >= MAX_KEYS) books.clear();
    const book = {
      key: new TicketKey(deriveKey(secret, 'ticket', gateway), heraldId),
      tickets: [],
      first: 0,
      issuedMs: -Infinity,
      ahead: 1,
    };
    books.set(gateway, book);
    return book;
  };
  const sign = (book: Book, seq: number, issuedMs: number): void => {
    // A run of numbers belongs to one gateway; what follows it may be another's.
    const count = Math.min(book.ahead, TICKET_RUN - (seq % TICKET_RUN));
    const issued = `.${issuedMs.toString(36)}.`;
    const macs = book.key.sign(seq, count, issuedMs);
    book.tickets = macs.map((mac, i) => inOnePiece(prefix + base36(seq + i) + issued + mac));
    book.first = seq;
    book.issuedMs = issuedMs;
  };
  return {
    issue(gateway, seq, nowMs) {
      const book = books.get(gateway) ?? open(gateway);
      const ageMs = nowMs - book.issuedMs;
      const inTime = ageMs >= 0 && ageMs <= SIGNED_AHEAD_MS;
      const known = inTime ? book.tickets[seq - book.first] : undefined;
      if (known !== undefined) return known;
      book.ahead = inTime ? Math.min(TICKET_RUN, 2 * book.ahead) : Math.max(1, book.ahead >> 1);
      sign(book, seq, nowMs);
      return book.tickets[0]!;
    },
  };
}

/**
 * The same text. The engine keeps what was put together as a tree and copies it leaf by leaf when it is sent, cold;
 * to read a character makes it one piece, here where all of it is at hand.
 */
export function inOnePiece(text: string): string {
  return text.charCodeAt(0) > 0 ? text : '';
}

const LOW_DIGITS = 5;

/**
 * Writes numbers that grow by one in base 36: past 2^31 the engine's own way costs microseconds, so the upper
 * digits are kept as text and only the lower ones, a small integer, are written anew.
 */
function base36Texts(): (value: number) => string {
  const lowSize = 36 ** LOW_DIGITS;
  let high = NaN;
  let highText = '';
  return (value) => {
    const upper = Math.floor(value / lowSize);
    if (upper === 0) return value.toString(36);
    if (upper !== high) {
      high = upper;
      highText = upper.toString(36);
    }
    return highText + (value - upper * lowSize).toString(36).padStart(LOW_DIGITS, '0');
  };
}
