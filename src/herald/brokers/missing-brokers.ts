// Which brokers ended without a goodbye: an alarm is about these, and not about one that was taken away.

import type { BrokerAddress } from '../../protocol/broker-address.ts';

/** From then on the smaller number of brokers is taken for what is wanted. */
const MISSED_AT_MOST_MS = 3_600_000;

/** The longest gone are forgotten first. */
const MAX_REMEMBERED = 256;

export interface MissingBrokers {
  /** These are there now. */
  seen(brokers: readonly BrokerAddress[], nowMs: number): void;
  saidGoodbye(id: string): void;
  count(listed: readonly BrokerAddress[], nowMs: number): number;
}

export function createMissingBrokers(): MissingBrokers {
  const lastUpMs = new Map<string, number>();
  const seen = (brokers: readonly BrokerAddress[], nowMs: number): void => {
    for (const { id, state } of brokers) {
      lastUpMs.delete(id);
      if (state === 'up') lastUpMs.set(id, nowMs);
    }
    for (const id of lastUpMs.keys()) {
      if (lastUpMs.size <= MAX_REMEMBERED) break;
      lastUpMs.delete(id);
    }
  };
  return {
    seen,
    saidGoodbye: (id) => void lastUpMs.delete(id),
    count(listed, nowMs) {
      seen(listed, nowMs);
      for (const [id, upMs] of lastUpMs) if (nowMs - upMs > MISSED_AT_MOST_MS) lastUpMs.delete(id);
      return lastUpMs.size - listed.filter(({ id }) => lastUpMs.has(id)).length;
    },
  };
}
