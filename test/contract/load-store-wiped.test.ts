// Somebody deletes everything of ours from the store, by hand or with a script, while Heralds run.

import { afterEach, describe, expect, it } from 'vitest';
import { memoryEnsemble } from '../../src/cluster/coordination-memory.ts';
import { zookeeperCoordination } from '../../src/cluster/coordination-zookeeper.ts';
import type { Coordination } from '../../src/cluster/coordination.ts';
import { requireServer } from '../launch/require-server.ts';
import { until } from '../launch/until.ts';
import { launchZookeeper } from '../launch/zookeeper.ts';
import type { Replica } from './load-store-replica.ts';
import { startReplica } from './load-store-replica.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Each answers how to connect to an empty store. */
const stores = {
  memory: async () => {
    const ensemble = memoryEnsemble();
    return () => ensemble.connect();
  },
  zookeeper: async () => {
    const server = await launchZookeeper();
    endings.push(() => server.remove());
    return () => zookeeperCoordination({ address: `127.0.0.1:${server.port}`, sessionTimeoutMs: 3_000 });
  },
};

const GATEWAYS = ['gw-1', 'gw-2', 'gw-3'];
const names = async (shell: Coordination, path: string): Promise<string[]> => {
  const found = await shell.list(path);
  return found.ok ? found.value : [];
};
async function wipe(shell: Coordination, path: string): Promise<void> {
  for (const name of await names(shell, path)) await wipe(shell, `${path}/${name}`);
  await shell.remove(path);
}
const obeyed = (one: Replica): boolean => {
  const rows = one.balancer.snapshot(performance.now()).gateways;
  const state = (id: string) => rows.find((row) => row.gateway === id)?.desired.state;
  return state('gw-1') === 'drain' && state('gw-2') === 'maint';
};

describe.each(['memory', 'zookeeper'] as const)('a store wiped by hand: %s', (kind) => {
  it.runIf(kind === 'memory' || requireServer('zookeeper'))(
    'is written again, and no drain ends',
    async () => {
      const connect = await stores[kind]();
      const shell = connect();
      const heralds = ['a', 'b'].map((id) => startReplica(connect(), id));
      const [a, b] = heralds as [Replica, Replica];
      endings.push(async () => {
        await Promise.all(heralds.map((one) => one.stop()));
        await shell.close();
      });
      await until('all to know each other', () => heralds.every((one) => one.heralds.length === 2));
      for (const gateway of GATEWAYS) a.report(gateway, 1);
      await a.desired('gw-1', 'drain', 'disk');
      await a.desired('gw-2', 'maint');
      await until('both to obey', () => heralds.every(obeyed));
      await until('the rows', async () => (await names(shell, '/herald/test/table')).length > 0);

      let held = true;
      const watching = setInterval(() => (held &&= heralds.every(obeyed)), 5);
      await wipe(shell, '/herald/test');
      await until('the drains again', async () => (await names(shell, '/herald/test/desired')).length === 2);
      let seq = 1;
      await until('the rows again', async () => {
        seq++;
        for (const gateway of GATEWAYS) a.report(gateway, seq);
        return (await names(shell, '/herald/test/table')).length > 0;
      });
      await until('the Heralds again', async () => (await names(shell, '/herald/test/heralds')).length === 2);
      await until('one to hold the lease', () => Number(a.moverLease) + Number(b.moverLease) === 1);
      clearInterval(watching);
      expect(held).toBe(true);
      expect([...a.events, ...b.events].join('\n')).toContain('desired-entries-lost {"wishes":');
    },
  );
});
