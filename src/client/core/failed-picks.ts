// (6) Which of the gateways that Herald named failed this client, and why: the next lookup says so.

import type { LookupPick } from '../../protocol/lookup.ts';
import { LOOKUP_LIMITS } from '../../protocol/lookup.ts';

/** A gateway that failed is named to Herald for so long; by then its breaker knows, or it is well again. */
const EXCLUDE_MS = 30_000;

export interface FailedPicks {
  note(pick: LookupPick, why: string, nowMs: number): void;
  /** Those that failed lately and `others`, of which the last stay where there are too many. */
  excluded(others: readonly string[], nowMs: number): string[];
  /** Of the first pick that failed since the last answer, which is the one Herald counted on; empty = of none. */
  ticket(): string;
  /** The gateway that failed last, and why; empty = none did. */
  lastWhy(): string;
  /** Herald has heard of the ticket. */
  told(): void;
  /** Better a gateway that failed a moment ago than none. Answers why the last of them failed; empty = none is left. */
  forgive(): string;
}

export function createFailedPicks(): FailedPicks {
  const failedAtMs = new Map<string, number>();
  let ticket = '';
  let lastWhy = '';
  return {
    note(pick, why, nowMs) {
      lastWhy = `${pick.gateway}: ${why}`;
      failedAtMs.set(pick.gateway, nowMs);
      if (ticket === '') ticket = pick.ticket;
    },
    excluded(others, nowMs) {
      for (const [gateway, atMs] of failedAtMs) if (nowMs - atMs > EXCLUDE_MS) failedAtMs.delete(gateway);
      return [...new Set([...failedAtMs.keys(), ...others])].slice(-LOOKUP_LIMITS.maxExclude);
    },
    ticket: () => ticket,
    lastWhy: () => lastWhy,
    told: () => void (ticket = ''),
    forgive() {
      const why = failedAtMs.size > 0 ? lastWhy : '';
      failedAtMs.clear();
      return why;
    },
  };
}
