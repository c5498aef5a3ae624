// (7) The brokers this Herald knows: announced over HTTP in embedded mode (each announcement lives three
// seconds), or learnt from the cluster. Gateways and publishers get the list.

import type { BrokerAddress } from '../../protocol/broker-address.ts';
import { createMissingBrokers } from './missing-brokers.ts';

/** Brokers announce each second; three missed ones and they are gone. */
export const ANNOUNCEMENT_TTL_MS = 3_000;
export const MAX_BROKERS = 64;

export interface BrokerBook {
  /** `replaced`: a later start of a broker with this id has announced itself. `full`: too many brokers. */
  announce(broker: BrokerAddress, nowMs: number): 'taken' | 'replaced' | 'full';
  /** `epoch`: of the life that says goodbye, so that an earlier one does not take its successor along; empty = any. */
  withdraw(id: string, epoch: string): void;
  /** Replaces what the cluster says; an announced broker of the same id gives way to it. */
  setClusterBrokers(brokers: readonly BrokerAddress[], nowMs: number): void;
  /** By id, with how long ago each announced itself here, if it did. */
  list(nowMs: number): BrokerAddress[];
  /** How many ended without a goodbye and have not come back; each is missed for an hour at most. */
  missing(nowMs: number): number;
}

export function createBrokerBook(): BrokerBook {
  const announced = new Map<
    string,
    { broker: BrokerAddress; replaced: string | undefined; heardMs: number }
  >();
  let ofCluster: readonly BrokerAddress[] = [];
  const missing = createMissingBrokers();
  const prune = (nowMs: number): void => {
    for (const [id, { heardMs }] of announced) {
      // As long as the cluster has it, how long it has been silent is news.
      const isListed = ofCluster.some((one) => one.id === id);
      if (!isListed && nowMs - heardMs >= ANNOUNCEMENT_TTL_MS) announced.delete(id);
    }
  };
  const list = (nowMs: number): BrokerAddress[] => {
    prune(nowMs);
    const known = new Set(ofCluster.map(({ id }) => id));
    const rest = [...announced.values()].map(({ broker }) => broker).filter(({ id }) => !known.has(id));
    return [...ofCluster, ...rest]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((broker) => {
        const heard = announced.get(broker.id);
        const isSame = heard?.broker.epoch === broker.epoch;
        return isSame ? { ...broker, silentMs: Math.round(nowMs - heard.heardMs) } : broker;
      });
  };
  return {
    announce(broker, nowMs) {
      prune(nowMs);
      const known = announced.get(broker.id);
      if (!known && announced.size >= MAX_BROKERS) return 'full';
      if (known && known.replaced === broker.epoch) return 'replaced';
      const replaced = known && known.broker.epoch !== broker.epoch ? known.broker.epoch : known?.replaced;
      announced.set(broker.id, { broker, replaced, heardMs: nowMs });
      missing.seen([broker], nowMs);
      return 'taken';
    },
    withdraw(id, epoch) {
      const known = announced.get(id)?.broker.epoch ?? epoch;
      if (epoch !== '' && known !== epoch) return;
      announced.delete(id);
      missing.saidGoodbye(id);
    },
    setClusterBrokers(brokers, nowMs) {
      ofCluster = brokers;
      missing.seen(brokers, nowMs);
    },
    list,
    missing: (nowMs) => missing.count(list(nowMs), nowMs),
  };
}
