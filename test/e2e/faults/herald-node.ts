// One real Herald of the fault table: `herald serve` as a child process on ports it keeps over restarts,
// with a TCP proxy before each of its ZooKeeper servers and before its control port, so that it can be cut
// from either.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { freePorts } from '../../launch/free-port.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import type { TcpProxy } from '../../launch/tcp-proxy.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import { askJson } from './ask.ts';
import { CLUSTER } from './names.ts';

/** How a network is cut: `silent` as by a lost cable, `reset` as by a firewall that refuses. */
export type CutKind = 'silent' | 'reset';

export interface GatewayRow {
  gateway: string;
  effectiveState: string;
  hearsay: boolean;
  ageMs: number;
  desired: { state: string; reason: string; author: string; untilEpochMs: number };
}

export interface HeraldTable {
  frozen: boolean;
  degraded: string[];
  gateways: GatewayRow[];
}

export interface HeraldNode {
  id: string;
  publicUrl: string;
  adminUrl: string;
  /** What gateways use: the control port behind its proxy. */
  controlUrl: string;
  agentAddress: string;
  snapshotFile: string;
  /** One proxy a ZooKeeper server, in the order of the ensemble. */
  toZookeeper: TcpProxy[];
  fromGateways: TcpProxy;
  pid(): number;
  /** Resolves when it answers `/livez`; with `wait` false at once. `env` for libfaketime. */
  start(options?: { wait?: boolean; env?: Record<string, string> }): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
  freeze(): void;
  thaw(): void;
  cutFromZookeeper(kind: CutKind): void;
  mendZookeeper(): void;
  cutFromGateways(kind: CutKind): void;
  mendGateways(): void;
  ready(): Promise<{ status: string; degraded: string[] }>;
  table(): Promise<HeraldTable>;
  row(gateway: string): Promise<GatewayRow | undefined>;
  forgetSnapshot(): void;
  /** Its log so far, of this start. */
  log(): string;
  close(): Promise<void>;
}

export async function createHeraldNode(
  id: string,
  zookeeperPorts: readonly number[],
  folder: string,
): Promise<HeraldNode> {
  const [publicPort, controlPort, agentPort, adminPort] = (await freePorts(4)) as [
    number,
    number,
    number,
    number,
  ];
  const toZookeeper = await Promise.all(zookeeperPorts.map((port) => startTcpProxy(port)));
  const fromGateways = await startTcpProxy(controlPort);
  const controlUrl = `http://${fromGateways.address}`;
  const publicUrl = `http://127.0.0.1:${publicPort}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  const snapshotFile = join(folder, `${id}.json`);
  let child: Child | undefined;

  const args = [
    HERALD_BIN,
    'serve',
    ...['--id', id, '--cluster', CLUSTER],
    ...['--public-listen', `127.0.0.1:${publicPort}`, '--control-listen', `127.0.0.1:${controlPort}`],
    ...['--agent-listen', `127.0.0.1:${agentPort}`, '--admin-listen', `127.0.0.1:${adminPort}`],
    ...['--control-url', controlUrl, '--snapshot-file', snapshotFile],
    ...['--zookeeper', toZookeeper.map(({ address }) => address).join(',')],
  ];
  const cut = (proxies: readonly TcpProxy[], kind: CutKind): void => {
    for (const proxy of proxies) {
      if (kind === 'silent') proxy.freeze();
      else proxy.cut();
    }
  };
  const mend = (proxies: readonly TcpProxy[]): void => {
    for (const proxy of proxies) {
      proxy.mend();
      // What was on its way into a dead network is lost; after it, connections begin anew.
      proxy.dropConnections();
      proxy.thaw();
    }
  };

  const node: HeraldNode = {
    id,
    publicUrl,
    adminUrl,
    controlUrl,
    agentAddress: `127.0.0.1:${agentPort}`,
    snapshotFile,
    toZookeeper,
    fromGateways,
    pid: () => child?.pid ?? 0,
    async start({ wait = true, env = {} } = {}) {
      child = startChild(process.execPath, args, { env });
      const started = child;
      if (!wait) return;
      await until(
        `Herald ${id}`,
        async () => started.process.exitCode !== null || (await askJson(publicUrl, '/livez')).status === 200,
        30_000,
        10,
      );
      if (started.process.exitCode !== null) {
        throw new Error(`Herald ${id} ended:\n${started.stdout()}${started.stderr()}`);
      }
    },
    async kill() {
      child?.signal('SIGKILL');
      await child?.exited;
    },
    stop: async () => child?.stop(6_000),
    freeze: () => child?.signal('SIGSTOP'),
    thaw: () => child?.signal('SIGCONT'),
    cutFromZookeeper: (kind) => cut(toZookeeper, kind),
    mendZookeeper: () => mend(toZookeeper),
    cutFromGateways: (kind) => cut([fromGateways], kind),
    mendGateways: () => mend([fromGateways]),
    async ready() {
      const { json } = await askJson(publicUrl, '/readyz');
      return json as { status: string; degraded: string[] };
    },
    async table() {
      const { json } = await askJson(adminUrl, '/v1/table');
      return json as HeraldTable;
    },
    async row(gateway) {
      const { status, json } = await askJson(adminUrl, `/v1/gateways/${gateway}`);
      return status === 200 ? (json as GatewayRow) : undefined;
    },
    forgetSnapshot() {
      if (existsSync(snapshotFile)) rmSync(snapshotFile);
    },
    log: () => child?.stderr() ?? '',
    async close() {
      await node.kill();
      await Promise.all([...toZookeeper, fromGateways].map((proxy) => proxy.close()));
    },
  };
  return node;
}
