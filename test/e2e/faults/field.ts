// The field the faults are made on: three ZooKeeper servers, three Heralds, twenty reporting gateways, a
// HAProxy before the Heralds, and the steady load, all real and all processes of their own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import type { Haproxy } from '../../launch/haproxy.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { freePort } from '../../launch/free-port.ts';
import { until } from '../../launch/until.ts';
import type { ZookeeperEnsemble } from '../../launch/zookeeper.ts';
import { launchEnsemble } from '../../launch/zookeeper.ts';
import { createGatewayNode } from './gateway-node.ts';
import type { GatewayNode } from './gateway-node.ts';
import { lookupFrontend } from './haproxy-front.ts';
import { createHeraldNode } from './herald-node.ts';
import type { HeraldNode } from './herald-node.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { startMetronome } from './metronome.ts';
import { HERALD_IDS, LONE_GATEWAYS, OBEDIENT_GATEWAY, SHARED_GATEWAYS } from './names.ts';
import { createOracle } from './oracle.ts';
import type { Answer, Fault, Oracle } from './oracle.ts';

export interface Field {
  ensemble: ZookeeperEnsemble;
  heralds: HeraldNode[];
  /** Each a process of its own. */
  lone: GatewayNode[];
  /** The other sixteen, one process. */
  shared: GatewayNode;
  haproxy: Haproxy;
  oracle: Oracle;
  load: Load;
  /** The test's own look into ZooKeeper, past every proxy. */
  observer: Coordination;
  /** Everything up, heard and named at every Herald; every row begins here, with an empty book. */
  settle(): Promise<void>;
  /** ZooKeeper serves, with all three servers; every Herald and the observer have a session. */
  settleStore(): Promise<void>;
  close(): Promise<void>;
}

export interface FieldOptions {
  lookupsPerSec: number;
  onEvent?: (event: Fault | Answer) => void;
}

/** Prepared, with ZooKeeper down and all else running: the first row is about just that. */
export async function layField(options: FieldOptions): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-faults-'));
  // Processes are killed here, power is never lost: a shared disk's fsync times are nobody's business.
  const ensemble = await launchEnsemble(3, {
    started: false,
    properties: ['-Dzookeeper.forceSync=no'],
    // Three JVMs that start take both cores of a small machine for a second, and no lookup is answered then.
    niceness: 10,
  });
  const ports = ensemble.servers.map(({ port }) => port);
  const heralds = await Promise.all(HERALD_IDS.map((id) => createHeraldNode(id, ports, folder)));
  const closers: (() => Promise<unknown>)[] = [
    async () => rmSync(folder, { recursive: true, force: true }),
    () => ensemble.stop(),
    ...heralds.map((herald) => () => herald.close()),
  ];
  const close = async (): Promise<void> => {
    for (const one of closers.reverse()) await one();
    closers.length = 0;
  };
  try {
    await Promise.all(heralds.map((herald) => herald.start()));
    const controlUrls = heralds.map(({ controlUrl }) => controlUrl);
    const lone = LONE_GATEWAYS.map((gateway) =>
      createGatewayNode([gateway], controlUrls, gateway === OBEDIENT_GATEWAY),
    );
    const shared = createGatewayNode(SHARED_GATEWAYS, controlUrls);
    for (const node of [...lone, shared]) closers.push(() => node.stop());
    await Promise.all([...lone, shared].map((node) => node.start()));

    const frontPort = await freePort();
    const haproxy = await launchHaproxy(lookupFrontend(frontPort, heralds));
    closers.push(() => haproxy.stop());
    const observer = zookeeperCoordination({ address: ensemble.address, operationDeadlineMs: 1_000 });
    closers.push(() => observer.close());
    const metronome = startMetronome();
    closers.push(async () => metronome.stop());
    const oracle = createOracle(options.onEvent, (fromMs, toMs) => metronome.lateMs(fromMs, toMs));
    const nodes = [...lone, shared];
    await allNamed(heralds, nodes);
    const load = startLoad({
      heralds,
      haproxyUrl: `http://127.0.0.1:${frontPort}`,
      lookupsPerSec: options.lookupsPerSec,
      oracle,
    });
    closers.push(() => load.stop());
    const settleStore = async (): Promise<void> => {
      for (const server of ensemble.servers) if (server.pid() === 0) await server.start(false);
      await ensemble.ready(60_000);
      await until('the observer at ZooKeeper', () => observer.state() === 'up', 20_000);
      await until(
        'every Herald to be ready',
        async () => (await Promise.all(heralds.map((herald) => herald.ready()))).every(isReady),
        20_000,
        50,
      );
    };
    return {
      ensemble,
      heralds,
      lone,
      shared,
      haproxy,
      oracle,
      load,
      observer,
      settleStore,
      async settle() {
        await settleStore();
        await allNamed(heralds, nodes);
        await until(
          'HAProxy to see every Herald',
          async () => (await haproxy.servers('heralds')).every(({ status }) => status === 'UP'),
          20_000,
          50,
        );
        oracle.turnPage();
      },
      close,
    };
  } catch (error) {
    for (const herald of heralds) console.error(herald.log().slice(-2_000));
    await close();
    throw error;
  }
}

function isReady({ status }: { status: string }): boolean {
  return status === 'ready';
}

/** Resolves when every Herald has fresh reports of every gateway, from itself and not from another Herald's rows. */
async function allNamed(heralds: readonly HeraldNode[], nodes: readonly GatewayNode[]): Promise<void> {
  const wanted = nodes.flatMap(({ gateways }) => gateways);
  let missing: string[] = [];
  const look = async (): Promise<boolean> => {
    const tables = await Promise.all(heralds.map((herald) => herald.table()));
    missing = tables.flatMap((table, i) => {
      const states = new Map(
        table.gateways.map((row) => [row.gateway, row.hearsay ? 'only heard of' : row.effectiveState]),
      );
      return wanted
        .filter((gateway) => states.get(gateway) !== 'up')
        .map((gateway) => `${heralds[i]!.id}: ${gateway} ${states.get(gateway) ?? 'unknown'}`);
    });
    return missing.length === 0;
  };
  await until('every gateway to be up at every Herald', look, 30_000, 50).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; ${missing.slice(0, 10).join(', ')}`);
  });
}
