// (7) The brokers of a cluster: each announces itself by an ephemeral entry, gateways and Heralds watch the
// folder. Death shows when the broker's session ends; a planned end removes the entry first.

import type { Log } from '../daemon/log.ts';
import type { Decoded, Fields } from '../protocol/decode.ts';
import { decodeJson, decoding, optionalChoice, readFields, requiredText } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/load-report.ts';
import { ID_PATTERN, ID_WORDS } from '../protocol/names.ts';
import type { Coordination, Stop } from './coordination.ts';
import { clusterPaths } from './paths.ts';
import { watchEntries } from './watch-entries.ts';

export interface BrokerAnnouncement {
  /** After a change of state or address; the id stays. */
  update(broker: BrokerAddress): void;
  state(): 'absent' | 'held' | 'contended';
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
    state: () => entry.state(),
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
      const decoded = entry && decodeBroker(entry.data);
      if (decoded && !decoded.ok) log.warn('broker-entry-refused', { broker: name, ...decoded.refusal });
      if (decoded?.ok && decoded.value.id === name) brokers.set(name, decoded.value);
      else if (!brokers.delete(name)) return;
      publish();
    },
  });
}

const ENDPOINT = /^tcp:\/\/[A-Za-z0-9._[\]:-]{1,255}:\d{1,5}$/;
const HTTP_URL = /^(https?:\/\/[A-Za-z0-9._[\]:-]{1,255}(\/[A-Za-z0-9._~%/-]{0,255})?)?$/;

function decodeBroker(text: string): Decoded<BrokerAddress> {
  const json = decodeJson(text, 'broker');
  if (!json.ok) return json;
  return decoding(() => {
    const from = readFields(json.value, 'broker');
    return {
      id: requiredText(from, 'id', ID_PATTERN, ID_WORDS),
      publish: endpoint(from, 'publish'),
      subscribe: endpoint(from, 'subscribe'),
      repair: endpoint(from, 'repair'),
      http: requiredText(from, 'http', HTTP_URL, 'an http:// or https:// URL, or an empty text'),
      epoch: requiredText(from, 'epoch', /^[A-Za-z0-9]{1,16}$/, '1 to 16 letters or digits'),
      state: optionalChoice(from, 'state', ['up', 'draining'] as const) ?? 'up',
    };
  });
}

function endpoint(from: Fields, field: string): string {
  return requiredText(from, field, ENDPOINT, 'a tcp://host:port endpoint');
}
