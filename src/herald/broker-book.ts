// (7) The brokers this Herald knows: announced over HTTP in embedded mode (each announcement lives three
// seconds), or learnt from the cluster. Gateways and publishers get the list.

import type { BrokerAddress } from '../protocol/load-report.ts';

/** Brokers announce each second; three missed ones and they are gone. */
export const ANNOUNCEMENT_TTL_MS = 3_000;
export const MAX_BROKERS = 64;

export interface BrokerBook {
  /** False when the book is full. */
  announce(broker: BrokerAddress, nowMs: number): boolean;
  withdraw(id: string): void;
  /** Replaces what the cluster says; an announced broker of the same id gives way to it. */
  setClusterBrokers(brokers: readonly BrokerAddress[]): void;
  list(nowMs: number): BrokerAddress[];
}

export function createBrokerBook(): BrokerBook {
  const announced = new Map<string, { broker: BrokerAddress; untilMs: number }>();
  let ofCluster: readonly BrokerAddress[] = [];
  const prune = (nowMs: number): void => {
    for (const [id, { untilMs }] of announced) if (untilMs <= nowMs) announced.delete(id);
  };
  return {
    announce(broker, nowMs) {
      prune(nowMs);
      if (announced.size >= MAX_BROKERS && !announced.has(broker.id)) return false;
      announced.set(broker.id, { broker, untilMs: nowMs + ANNOUNCEMENT_TTL_MS });
      return true;
    },
    withdraw: (id) => void announced.delete(id),
    setClusterBrokers: (brokers) => void (ofCluster = brokers),
    list(nowMs) {
      prune(nowMs);
      const known = new Set(ofCluster.map(({ id }) => id));
      const rest = [...announced.values()].map(({ broker }) => broker).filter(({ id }) => !known.has(id));
      return [...ofCluster, ...rest].sort((a, b) => (a.id < b.id ? -1 : 1));
    },
  };
}
