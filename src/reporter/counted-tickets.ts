// (1) Which of a server's ticket counts are reported: those of Heralds that have answered it. A server need not check
// signatures, so what it counts may be any word of its clients, and Herald would refuse a report with such a one.

import { REPORT_LIMITS } from '../protocol/load-report.ts';
import type { ReporterCounters } from './reporter-options.ts';

type Counts = NonNullable<ReporterCounters['tickets']>;

export class CountedTickets {
  /** Remembered while they are away: a count that comes back would look like so many who came at once. */
  readonly #heralds = new Set<string>();

  answered(heraldId: string): void {
    this.#heralds.add(heraldId);
    if (this.#heralds.size <= REPORT_LIMITS.maxHeralds) return;
    const [first] = this.#heralds;
    this.#heralds.delete(first!);
  }

  of(counts: Counts): Counts {
    const known = [...this.#heralds].filter((heraldId) => Object.hasOwn(counts, heraldId));
    return Object.fromEntries(known.map((heraldId) => [heraldId, counts[heraldId]!]));
  }
}
