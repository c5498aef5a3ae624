// Lookups a second by gateway, from the totals of successive tables.

import type { TableSnapshot } from '../herald/core/balancer-types.ts';

/** Rates are averages over this, so that single arrivals do not flicker. */
const RATE_OVER_MS = 4_000;

export class PickRates {
  readonly #history: { atMs: number; picks: Map<string, number> }[] = [];

  update(table: TableSnapshot, nowMs: number): Map<string, number> {
    const picks = new Map(table.gateways.map((gateway) => [gateway.gateway, gateway.picks]));
    this.#history.push({ atMs: nowMs, picks });
    while (this.#history.length > 2 && this.#history[0]!.atMs < nowMs - RATE_OVER_MS) this.#history.shift();
    const first = this.#history[0]!;
    const seconds = (nowMs - first.atMs) / 1_000;
    // A gateway the first table did not know has no rate yet, and nor has a first table.
    return new Map(
      [...picks].map(([id, total]) => {
        const before = first.picks.get(id) ?? total;
        return [id, seconds > 0 ? Math.max(0, total - before) / seconds : 0];
      }),
    );
  }
}
