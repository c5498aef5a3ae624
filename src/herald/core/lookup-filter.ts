// (5) The last test before a gateway may be named in one lookup, O(1): still of the pool and open, with the labels,
// fresh, under its hard cap, not one of those the client says failed. Zone and wishes are the view's business.

import type { AskedLookup } from './asked-lookup.ts';
import { hasLabels } from './candidate-view.ts';
import type { GatewaySlots } from './gateway-slots.ts';
import { CONNECTIONS, FULL_AT, OPEN, REPORTED_AT, STALE_AFTER, STRIDE } from './gateway-slots.ts';
import type { TicketsInFlight } from './tickets.ts';

export class LookupFilter {
  readonly #slots: GatewaySlots;
  readonly #tickets: TicketsInFlight;
  readonly #excluded: number[] = [];
  #pool = -1;
  #required: Record<string, string> | undefined;
  #nowMs = 0;
  /** Whether ages are not judged. */
  frozen = false;
  /** Of a ticket in flight so many will connect. */
  #perPending = 1;
  /** Whether this lookup met a gateway that fell silent after the last tick. */
  metSilent = false;

  constructor(slots: GatewaySlots, tickets: TicketsInFlight) {
    this.#slots = slots;
    this.#tickets = tickets;
  }

  /** From now on it judges for this lookup, with the labels that its view requires. */
  aim(
    { request, pool, nowMs }: AskedLookup,
    required: Record<string, string> | undefined,
    frozen: boolean,
  ): void {
    this.#pool = pool.number;
    this.#required = required;
    this.#nowMs = nowMs;
    this.frozen = frozen;
    this.#perPending = pool.factors.pending;
    this.metSilent = false;
    this.#excluded.length = 0;
    for (const gateway of request.exclude) {
      const slot = this.#slots.slotOf(gateway);
      if (slot >= 0) this.#excluded.push(slot);
    }
  }

  allows(slot: number): boolean {
    return this.allowsAnyone(slot) && (this.#excluded.length === 0 || !this.#excluded.includes(slot));
  }

  /** The same without this client's exclusions: what may be remembered for other clients. */
  allowsAnyone(slot: number): boolean {
    const hot = this.#slots.hot;
    const at = slot * STRIDE;
    if (hot[at + OPEN] !== this.#pool) return false;
    if (this.#required && !hasLabels(this.#slots.records[slot]!.labels, this.#required)) return false;
    if (!this.frozen && this.#nowMs - hot[at + REPORTED_AT]! > hot[at + STALE_AFTER]!) {
      this.metSilent = true;
      return false;
    }
    const fullAt = hot[at + FULL_AT]!;
    // Room for one more, by what is expected: of clients, whatever size they say.
    return (
      fullAt === Infinity ||
      hot[at + CONNECTIONS]! + this.#perPending * this.#tickets.coming(slot) <= fullAt - 1
    );
  }
}
