// What Heralds share, tried on memory and on a real ZooKeeper: every promise of the load store is one of both.

import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Coordination } from '../../src/cluster/coordination.ts';
import { memoryEnsemble } from '../../src/cluster/coordination-memory.ts';
import { zookeeperCoordination } from '../../src/cluster/coordination-zookeeper.ts';
import { decodeTablePart } from '../../src/protocol/table-row.ts';
import { requireServer } from '../launch/require-server.ts';
import type { TcpProxy } from '../launch/tcp-proxy.ts';
import { startTcpProxy } from '../launch/tcp-proxy.ts';
import { until } from '../launch/until.ts';
import { launchZookeeper } from '../launch/zookeeper.ts';
import type { Replica } from './load-store-replica.ts';
import { startReplica } from './load-store-replica.ts';

export interface Link {
  coordination: Coordination;
  cut(): void;
  mend(): void;
}

interface Store {
  connect(): Promise<Link>;
  stop(): Promise<void>;
}

interface Server {
  emptyStore(): Store;
  stop(): Promise<void>;
}

const servers: { name: string; run: boolean; launch: () => Promise<Server> }[] = [
  {
    name: 'memory',
    run: true,
    launch: async () => ({
      emptyStore() {
        const ensemble = memoryEnsemble();
        return {
          async connect() {
            const coordination = ensemble.connect();
            return { coordination, cut: () => coordination.goAway(), mend: () => coordination.comeBack() };
          },
          stop: async () => {},
        };
      },
      stop: async () => {},
    }),
  },
  {
    name: 'zookeeper',
    run: requireServer('zookeeper'),
    async launch() {
      const server = await launchZookeeper();
      let round = 0;
      return {
        emptyStore() {
          const root = `/store-${++round}`;
          const proxies: TcpProxy[] = [];
          return {
            async connect() {
              const proxy = await startTcpProxy(server.port);
              proxies.push(proxy);
              const coordination = zookeeperCoordination({
                address: `${proxy.address}${root}`,
                sessionTimeoutMs: 3_000,
              });
              return { coordination, cut: () => proxy.cut(), mend: () => proxy.mend() };
            },
            async stop() {
              await Promise.all(proxies.map((proxy) => proxy.close()));
            },
          };
        },
        stop: () => server.remove(),
      };
    },
  },
];

export interface StoreRig {
  /** Gives this test an empty store; `heralds` does it too. */
  fresh: () => void;
  link: () => Promise<Link>;
  herald: (id: string, snapshotPath?: string) => Promise<Replica & Link>;
  /** Heralds on an empty store, once they know each other. */
  heralds: (...ids: string[]) => Promise<(Replica & Link)[]>;
  /** The gateways in each part of the table. */
  parts: (one: Link) => Promise<Map<string, string[]>>;
  /** What is stopped after the test; who stops one itself takes it out. */
  replicas: (Replica & Link)[];
}

export function onEachStore(what: string, define: (rig: StoreRig) => void): void {
  for (const { name, run, launch } of servers) {
    describe.runIf(run)(`${what} on ${name}`, () => {
      let server: Server;
      let store: Store;
      const replicas: (Replica & Link)[] = [];
      const links: Link[] = [];

      beforeAll(async () => {
        server = await launch();
      });
      afterAll(() => server.stop());
      afterEach(async () => {
        for (const link of [...replicas, ...links]) link.mend();
        await Promise.all(replicas.splice(0).map((one) => one.stop()));
        await Promise.all(links.splice(0).map((one) => one.coordination.close()));
        await store.stop();
      });

      const herald: StoreRig['herald'] = async (id, snapshotPath) => {
        const one = await store.connect();
        const replica = Object.assign(
          startReplica(one.coordination, id, snapshotPath === undefined ? {} : { snapshotPath }),
          one,
        );
        replicas.push(replica);
        return replica;
      };
      define({
        replicas,
        herald,
        fresh() {
          store = server.emptyStore();
        },
        async link() {
          const one = await store.connect();
          links.push(one);
          return one;
        },
        async heralds(...ids) {
          store = server.emptyStore();
          const all = await Promise.all(ids.map((id) => herald(id)));
          await until('all to know each other', () =>
            all.every((one) => one.heralds.length === ids.length && one.store.state().problem === undefined),
          );
          return all;
        },
        async parts(one) {
          const names = await one.coordination.list('/herald/test/table');
          const found = new Map<string, string[]>();
          for (const part of names.ok ? names.value : []) {
            const entry = await one.coordination.get(`/herald/test/table/${part}`);
            const decoded = entry.ok ? decodeTablePart(JSON.parse(entry.value.data)) : undefined;
            if (decoded?.ok)
              found.set(
                part,
                decoded.value.rows.map((row) => row.gateway),
              );
          }
          return found;
        },
      });
    });
  }
}
