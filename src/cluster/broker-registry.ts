// (7) The brokers of a cluster: each announces itself by an ephemeral entry, gateways and Heralds watch the
// folder. Death shows when the broker's session ends; a planned end removes the entry first.

import type { Log } from '../daemon/log.ts';
import { decodeBrokerAddress } from '../protocol/broker-address.ts';
import { decodeJson } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { Coordination, Stop } from './coordination.ts';
import { clusterPaths } from './paths.ts';
import { watchEntries } from './watch-entries.ts';

export interface BrokerAnnouncement {
  /** After a change of state or address; the id stays. */
  update(broker: BrokerAddress): void;
  withdraw(): Promise<void>;
}

export function announceBroker(
  coordination: Coordination,
  cluster: string,
  broker: BrokerAddress,
): BrokerAnnouncement {
  const entry = coordination.ephemeral(clusterPaths(cluster).broker(broker.id), JSON.stringify(broker));
  return {
    update: (next) => entry.update(JSON.stringify(next)),
    withdraw: () => entry.release(),
  };
}

/**
 * Calls `onBrokers` with the whole list, sorted by id, after each change. While the store is away the last
 * list stands. Entries that do not decode are left out and logged once each.
 */
export function watchBrokers(
  coordination: Coordination,
  cluster: string,
  onBrokers: (brokers: readonly BrokerAddress[]) => void,
  log: Log,
): Stop {
  const brokers = new Map<string, BrokerAddress>();
  const publish = (): void => onBrokers([...brokers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
  return watchEntries(coordination, clusterPaths(cluster).brokers, {
    onEntry(name, entry) {
      const json = entry && decodeJson(entry.data, 'broker');
      const decoded = json?.ok ? decodeBrokerAddress(json.value) : json;
      if (decoded && !decoded.ok) log.warn('broker-entry-refused', { broker: name, ...decoded.refusal });
      if (decoded?.ok && decoded.value.id === name) brokers.set(name, decoded.value);
      else if (!brokers.delete(name)) return;
      publish();
    },
  });
}
