// The broker's entry in ZooKeeper, where one is configured: it stands while the session lives. Nothing waits
// for it; a broker without its entry goes on, and is known through the Heralds it announces itself to.

import { announceBroker } from '../../cluster/broker-registry.ts';
import { zookeeperCoordination } from '../../cluster/coordination-zookeeper.ts';
import { atMost } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';

export interface ClusterEntry {
  update(address: BrokerAddress): void;
  withdraw(): Promise<void>;
}

export interface ClusterEntryConfig {
  cluster: string;
  zookeeper: string;
  zookeeperSessionTimeoutMs: number;
  zookeeperAuth: string;
}

/** A server that is silent must not hold up the end of a broker. */
const WITHDRAW_AT_MOST_MS = 1_000;

export function enterCluster(config: ClusterEntryConfig, address: BrokerAddress, log: Log): ClusterEntry {
  if (config.zookeeper === '') return { update: () => {}, withdraw: () => Promise.resolve() };
  const coordination = zookeeperCoordination({
    address: config.zookeeper,
    sessionTimeoutMs: config.zookeeperSessionTimeoutMs,
    digest: config.zookeeperAuth,
    log,
  });
  const entry = announceBroker(coordination, config.cluster, address);
  return {
    update: (now) => entry.update(now),
    withdraw: () =>
      atMost(
        WITHDRAW_AT_MOST_MS,
        entry.withdraw().then(() => coordination.close()),
      ),
  };
}
