// What the tests of the client package's defects share: one real server, our coordination and the bare client
// on it, through proxies that fail on demand. Everything is closed after each test.

import { afterAll, afterEach, beforeAll } from 'vitest';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import type { ZookeeperOptions } from '../../../src/cluster/coordination-zookeeper.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import type { TcpProxy } from '../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import type { ZookeeperServer } from '../../launch/zookeeper.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';
import type { BareClient } from './bare-client.ts';
import { bareClient, destroyBareClients } from './bare-client.ts';

export interface DefectLab {
  server(): ZookeeperServer;
  /** Our coordination, closed after the test. */
  ours(address: string, more?: Partial<ZookeeperOptions>): Coordination;
  /** Ours, connected. */
  oursUp(address: string, more?: Partial<ZookeeperOptions>): Promise<Coordination>;
  /** The bare client, connected. */
  bareUp(address: string, sessionTimeoutMs: number): Promise<BareClient>;
  /** A proxy before the server. */
  proxied(): Promise<TcpProxy>;
  /** Closed after the test. */
  keep<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T>;
  /** A server that is not started yet, removed after the test. */
  lateServer(): Promise<ZookeeperServer>;
}

export const up = (one: Coordination): Promise<boolean> =>
  until('a session', () => one.state() === 'up', 15_000);

/** To be called inside a `describe`: it registers the hooks. */
export function defectLab(): DefectLab {
  let server: ZookeeperServer & { remove(): Promise<void> };
  const open: Coordination[] = [];
  const closing: { close(): Promise<void> }[] = [];
  const removing: { remove(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await launchZookeeper({ properties: ['-Dzookeeper.enforceQuota=true'] });
  });
  afterAll(() => server.remove());
  afterEach(async () => {
    destroyBareClients();
    await Promise.all(open.splice(0).map((one) => one.close()));
    await Promise.all(closing.splice(0).map((one) => one.close()));
    await Promise.all(removing.splice(0).map((one) => one.remove()));
  });

  const ours: DefectLab['ours'] = (address, more = {}) => {
    const one = zookeeperCoordination({ address, sessionTimeoutMs: 3_000, ...more });
    open.push(one);
    return one;
  };
  return {
    server: () => server,
    ours,
    async oursUp(address, more) {
      const one = ours(address, more);
      await up(one);
      return one;
    },
    async bareUp(address, sessionTimeoutMs) {
      const bare = bareClient(address, sessionTimeoutMs);
      bare.connect();
      await until('the bare client', () => bare.events.includes('connected'));
      return bare;
    },
    async proxied() {
      const proxy = await startTcpProxy(server.port);
      closing.push(proxy);
      return proxy;
    },
    async keep(starting) {
      const one = await starting;
      closing.push(one);
      return one;
    },
    async lateServer() {
      const late = await launchZookeeper({ started: false });
      removing.push(late);
      return late;
    },
  };
}
