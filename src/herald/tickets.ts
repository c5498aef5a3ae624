// (5) Signs the tickets of lookups. Each gateway has a key of its own, derived from the cluster secret. A
// lookup hands out four tickets, so what one costs counts: keys are kept prepared, and for a gateway that is named
// often a run of tickets is signed and written at once, because one of many costs a seventh of one alone. What
// comes out is exactly `encodeTicket` of src/protocol, which a test checks.

import { deriveKey } from '../daemon/secrets.ts';
import { MAC_BYTES, TicketKey } from '../daemon/ticket-key.ts';
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

/** The numbers of a run have as many digits of base 36, for from this one on such a power begins a run. */
const EQUALLY_LONG_FROM = 36 ** 3;
/** 16 bytes in base64url. */
const MAC_CHARS = 22;
const MOST_CLAIMS_CHARS = 32;
const BASE64URL = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const DIGIT_A = 0x61;
const DIGIT_Z = 0x7a;
const runBytes = Buffer.alloc(TICKET_RUN * (MOST_CLAIMS_CHARS + MAC_CHARS));

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
  };
}

class SignedAhead implements TicketBook {
  readonly #key: TicketKey;
  readonly #prefix: string;
  /** What is behind the prefix in tickets `first`, `first + 1` and so on: `length` characters each. */
  #run = '';
  #length = 0;
  #first = 0;
  #issuedMs = -Infinity;
  /** Signed at once next time; grows while they are used in time. */
  #ahead = 1;

  constructor(key: TicketKey, prefix: string) {
    this.#key = key;
    this.#prefix = prefix;
  }

  issue(seq: number, nowMs: number): string {
    const ageMs = nowMs - this.#issuedMs;
    const inTime = ageMs >= 0 && ageMs <= SIGNED_AHEAD_MS;
    let at = (seq - this.#first) * this.#length;
    if (!inTime || at < 0 || at >= this.#run.length) {
      this.#ahead = inTime ? Math.min(TICKET_RUN, 2 * this.#ahead) : Math.max(1, this.#ahead >> 1);
      this.#sign(seq, nowMs);
      at = 0;
    }
    return this.#prefix + this.#run.slice(at, at + this.#length);
  }

  #sign(seq: number, issuedMs: number): void {
    // A run of numbers belongs to one gateway; what follows it may be another's.
    const most = Math.min(this.#ahead, TICKET_RUN - (seq % TICKET_RUN));
    const count = seq < EQUALLY_LONG_FROM ? 1 : most;
    const digits = base36(seq);
    const claims = `${digits}.${base36(issuedMs)}.`;
    this.#run = runText(digits.length, claims, this.#key.sign(seq, count, issuedMs));
    this.#length = claims.length + MAC_CHARS;
    this.#first = seq;
    this.#issuedMs = issuedMs;
  }
}

/**
 * A ticket for each signature, side by side: the claims, whose first `digits` characters count up in base 36, then the
 * signature. Written as bytes, because texts put together and the engine's own base 36 cost more than the cipher.
 */
function runText(digits: number, claims: string, macs: Uint8Array): string {
  const length = claims.length + MAC_CHARS;
  let at = 0;
  for (let mac = 0; mac < macs.length; mac += MAC_BYTES) {
    if (mac === 0) runBytes.write(claims, 'latin1');
    else {
      runBytes.copyWithin(at, at - length, at - MAC_CHARS);
      countUp(runBytes, at + digits - 1);
    }
    writeBase64Url(macs, mac, runBytes, at + claims.length);
    at += length;
  }
  return runBytes.toString('latin1', 0, at);
}

/** In two halves, for past 2^31 the engine's own way costs four times as much. */
function base36(value: number): string {
  const half = 36 ** 5;
  if (value < half) return value.toString(36);
  return Math.floor(value / half).toString(36) + (value % half).toString(36).padStart(5, '0');
}

/** One more, in base 36: `last` is the place of the last digit. */
function countUp(bytes: Uint8Array, last: number): void {
  let at = last;
  while (bytes[at] === DIGIT_Z) bytes[at--] = DIGIT_0;
  bytes[at] = bytes[at] === DIGIT_9 ? DIGIT_A : bytes[at]! + 1;
}

/** Writes 16 bytes as 22 characters. */
function writeBase64Url(from: Uint8Array, start: number, to: Uint8Array, at: number): void {
  let out = at;
  for (let i = start; i < start + MAC_BYTES - 1; i += 3) {
    const three = (from[i]! << 16) | (from[i + 1]! << 8) | from[i + 2]!;
    to[out++] = BASE64URL[three >> 18]!;
    to[out++] = BASE64URL[(three >> 12) & 63]!;
    to[out++] = BASE64URL[(three >> 6) & 63]!;
    to[out++] = BASE64URL[three & 63]!;
  }
  const last = from[start + MAC_BYTES - 1]!;
  to[out++] = BASE64URL[last >> 2]!;
  to[out] = BASE64URL[(last & 3) << 4]!;
}

/**
 * The same text. The engine keeps what was put together as a tree and copies it leaf by leaf when it is sent, cold;
 * to read a character makes it one piece, here where all of it is at hand.
 */
export function inOnePiece(text: string): string {
  return text.charCodeAt(0) > 0 ? text : '';
}
