// A fleet as operators run it: one Herald, or several on a real ZooKeeper, one broker and a number of gateways,
// each the real command in a process of its own. Gateways play a given capacity: a delivery and an accept cost
// tokens, and the load they report is tokens used over tokens allowed, so that six "sizes" fit on two cores.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { ChildSays, ParentSays } from '../../../src/cli/parent.ts';
import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import { guardChild } from '../../launch/guard.ts';
import { HERALD_BIN, HERALD_ON_ANY_PORTS } from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

const TOKENS_PER_SEC = 1_000;
const MESSAGE_TOKENS = 2.5;
const ACCEPT_TOKENS = 2;

export interface FleetPlan {
  policy: string;
  mover: 'on' | 'off';
  /** One gateway each. */
  capacities: readonly number[];
  /** More than one share a ZooKeeper, and gateways are told of the first alone. */
  heralds: number;
}

export interface FleetProcesses {
  /** Of each Herald. */
  publicUrls: readonly string[];
  /** Of the first Herald. */
  controlUrl: string;
  /** As each Herald sees it, in the order of `publicUrls`. */
  tables(): Promise<TableSnapshot[]>;
  /** +0.4 = a noisy neighbour that takes 40 % of that gateway. */
  setNeighbour(gateway: string, load: number): void;
  /** kill -9. */
  kill(gateway: string): void;
  stop(): Promise<void>;
}

const ANY_PORT = '127.0.0.1:0';
const STOP_DEADLINE_MS = 8_000;

export async function startFleet(plan: FleetPlan): Promise<FleetProcesses> {
  const { policy, mover, capacities, heralds: replicas } = plan;
  const zookeeper = replicas > 1 ? await launchZookeeper() : undefined;
  const daemons = new Map<string, ChildProcess>();
  const start = async (name: string, args: readonly string[]): Promise<Record<string, string>> => {
    const child = fork(HERALD_BIN, [...args, '--log-level', 'warn'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    daemons.set(name, child);
    guardChild(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
    }
    return new Promise((resolve, reject) => {
      child.on('message', (message: ChildSays) => {
        if (message.says === 'ready') resolve(message.addresses);
      });
      child.once('exit', () => reject(new Error(`${name} ended at its start: ${output}`)));
    });
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...daemons.values()].map((child) => ended(child)));
    await zookeeper?.remove();
  };

  try {
    const startHerald = (id: string): Promise<Record<string, string>> =>
      start(id, [
        'serve',
        ...flags({
          id,
          ...HERALD_ON_ANY_PORTS,
          policy,
          mover,
          // Only the played load may count: what this machine really does would speak for all gateways at once.
          'limit-delivery-lag-ms': 0,
          'limit-buffered-bytes': 0,
          ...(zookeeper && { zookeeper: zookeeper.address }),
        }),
      ]);
    const started = await Promise.all(
      Array.from({ length: replicas }, (_, i) => startHerald(`herald-${i + 1}`)),
    );
    const heralds = started[0]!['control']!;
    await start('broker', [
      'broker',
      ...flags({
        'publish-listen': ANY_PORT,
        'subscribe-listen': ANY_PORT,
        'repair-listen': ANY_PORT,
        'http-listen': ANY_PORT,
        heralds,
      }),
    ]);
    await Promise.all(
      capacities.map((capacity, i) =>
        start(gatewayName(i), [
          'gateway',
          ...flags({
            id: gatewayName(i),
            listen: ANY_PORT,
            heralds,
            capacity,
            'virtual-capacity': capacity,
            'virtual-tokens-per-sec': TOKENS_PER_SEC,
            'virtual-message-tokens': MESSAGE_TOKENS,
            'virtual-accept-tokens': ACCEPT_TOKENS,
          }),
        ]),
      ),
    );
    const tables = (): Promise<TableSnapshot[]> => Promise.all(started.map(({ admin }) => tableAt(admin!)));
    const allUp = async (): Promise<boolean> =>
      (await tables()).every(
        ({ gateways }) =>
          gateways.filter(({ effectiveState }) => effectiveState === 'up').length === capacities.length,
      );
    await until('every gateway in every table', allUp, 60_000, 100);
    return {
      publicUrls: started.map((addresses) => addresses['public']!),
      controlUrl: heralds,
      tables,
      setNeighbour(gateway, load) {
        daemons.get(gateway)?.send({ says: 'squeeze', shareOfCore: load } satisfies ParentSays);
      },
      kill: (gateway) => void daemons.get(gateway)?.kill('SIGKILL'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function gatewayName(index: number): string {
  return `gw-${index + 1}`;
}

async function tableAt(adminUrl: string): Promise<TableSnapshot> {
  const reply = await fetch(`${adminUrl}/v1/table`, { signal: AbortSignal.timeout(10_000) });
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  return (await reply.json()) as TableSnapshot;
}

function flags(values: Record<string, string | number | undefined>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  await exit;
  clearTimeout(timer);
}
