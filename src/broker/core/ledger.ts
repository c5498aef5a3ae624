// The broker's books: every message that came in was forwarded, known already, or refused for a reason. The
// sums must agree at any time; the audit compares them with what publishers and gateways count.

import type { RefusalReason } from '../../protocol/publication.ts';
import { REFUSAL_REASONS } from '../../protocol/publication.ts';

export interface LedgerSnapshot {
  /** = forwarded + duplicates + refused (all reasons) + drained. */
  received: number;
  forwarded: number;
  duplicates: number;
  refused: Record<RefusalReason, number>;
  /** Sent back to the publisher because the broker was draining. */
  drained: number;
  /** Own probes, not part of received. */
  canaries: number;
}

export class Ledger {
  #forwarded = 0;
  #duplicates = 0;
  #drained = 0;
  #canaries = 0;
  readonly #refused = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
    RefusalReason,
    number
  >;

  forward(): void {
    this.#forwarded += 1;
  }

  duplicate(): void {
    this.#duplicates += 1;
  }

  refuse(reason: RefusalReason): void {
    this.#refused[reason] += 1;
  }

  drain(count: number): void {
    this.#drained += count;
  }

  canary(): void {
    this.#canaries += 1;
  }

  snapshot(): LedgerSnapshot {
    const refused = { ...this.#refused };
    const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0);
    return {
      received: this.#forwarded + this.#duplicates + this.#drained + refusals,
      forwarded: this.#forwarded,
      duplicates: this.#duplicates,
      refused,
      drained: this.#drained,
      canaries: this.#canaries,
    };
  }
}
