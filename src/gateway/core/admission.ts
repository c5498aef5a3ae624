// (8) Tickets at the door. By default a ticket is a hint: it lets Herald reconcile what it sent with what
// arrived, and a client without a good one is still let in. A fleet may require them instead.

import { REPORT_LIMITS } from '../../protocol/load-report.ts';
import type { Ticket } from '../../protocol/ticket.ts';
import { decodeTicket, TICKET_TTL_MS } from '../../protocol/ticket.ts';

export type TicketVerdict = 'fresh' | 'none' | 'malformed' | 'forged' | 'expired' | 'used' | 'unknown-herald';

export interface AdmissionParts {
  /** True when one of this gateway's keys signed the ticket. Compares in constant time. */
  isSigned: (ticket: Ticket) => boolean;
  /** What to add to `nowMs` to get that Herald's ticket clock; undefined while it has not answered yet. */
  clockOffsetMs: (heraldId: string) => number | undefined;
  required: boolean;
}

/** The two clocks are known to each other within a round trip; a ticket from the future is forged or wrong. */
const CLOCK_SLACK_MS = 2_000;
/** Used tickets remembered a generation. Beyond it the generation ends early. */
const MAX_REMEMBERED = 500_000;

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #admitted = new Map<string, { admitted: number }>();
  // Two generations of one lifetime each: a ticket is remembered for at least as long as it could be used.
  #used = new Set<string>();
  #usedBefore = new Set<string>();
  #turnedMs = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Judges a ticket once and, when it is fresh, spends it. */
  judge(text: string | undefined, nowMs: number): TicketVerdict {
    if (text === undefined || text === '') return 'none';
    const decoded = decodeTicket(text);
    if (!decoded.ok) return 'malformed';
    const ticket = decoded.value;
    if (!this.#parts.isSigned(ticket)) return 'forged';
    const offsetMs = this.#parts.clockOffsetMs(ticket.heraldId);
    // A gateway that just started knows no Herald's clock: where a ticket is a hint, it counts all the same.
    if (offsetMs === undefined && this.#parts.required) return 'unknown-herald';
    const ageMs = offsetMs === undefined ? 0 : nowMs + offsetMs - ticket.issuedMs;
    if (ageMs > TICKET_TTL_MS + CLOCK_SLACK_MS || ageMs < -CLOCK_SLACK_MS) return 'expired';
    this.#turn(nowMs);
    // The issue time is part of the name: a Herald that restarts counts its tickets from the start again.
    const name = `${ticket.heraldId} ${ticket.seq} ${ticket.issuedMs}`;
    if (this.#used.has(name) || this.#usedBefore.has(name)) return 'used';
    this.#used.add(name);
    this.#count(ticket.heraldId);
    return 'fresh';
  }

  /** Tickets admitted, by Herald: goes into every load report. */
  admitted(): Record<string, { admitted: number }> {
    return Object.fromEntries(this.#admitted);
  }

  #count(heraldId: string): void {
    const counters = this.#admitted.get(heraldId) ?? { admitted: 0 };
    counters.admitted += 1;
    this.#admitted.set(heraldId, counters);
    // A report may name so many; the one first seen is the likeliest to be gone.
    if (this.#admitted.size <= REPORT_LIMITS.maxHeralds) return;
    const [first] = this.#admitted.keys();
    this.#admitted.delete(first!);
  }

  /** Whether a client with this verdict may come in. */
  lets(verdict: TicketVerdict): boolean {
    return verdict === 'fresh' || !this.#parts.required;
  }

  #turn(nowMs: number): void {
    const lifetimeMs = TICKET_TTL_MS + 2 * CLOCK_SLACK_MS;
    if (nowMs - this.#turnedMs < lifetimeMs && this.#used.size < MAX_REMEMBERED) return;
    this.#usedBefore = this.#used;
    this.#used = new Set();
    this.#turnedMs = nowMs;
  }
}
