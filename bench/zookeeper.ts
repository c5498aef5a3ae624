// What the shared load table costs, in CPU per second of ZooKeeper and of each Herald: 1,000 gateways that
// report once a second, three Heralds, one real ZooKeeper; table parts beside one entry a gateway, in the
// same run. A machine too busy to keep the pace hands on fewer rows, so the ratio is of CPU per row that
// reached another Herald.
//
//   node scripts/run-ts.mjs bench/zookeeper.ts [gateways] [seconds]

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { launchZookeeper } from '../test/launch/zookeeper.ts';
import { until } from '../test/launch/until.ts';
import type { ReplicaCount, ReplicaOrder, Way } from './zookeeper-replica.ts';
import { runReplica } from './zookeeper-replica.ts';

const REPLICAS = 3;
const TICKS_PER_SEC = 100;
const WANTED_RATIO = 20;
/** Code that runs once a second is compiled late; what a Herald costs for days is wanted. */
const WARM_MS = 12_000;

const [first = '1000', second = '15'] = process.argv.slice(2);
if (first === 'replica') runReplica(JSON.parse(second) as ReplicaOrder);
else await main(Number(first), Number(second));

interface Measured {
  /** CPU seconds per second. */
  zookeeper: number;
  herald: number;
  writtenPerSec: number;
  readPerSec: number;
}

async function main(gateways: number, seconds: number): Promise<void> {
  const server = await launchZookeeper();
  console.log(`${gateways} gateways x 1 Hz, ${REPLICAS} Heralds, ${seconds} s each, ${cpus()[0]?.model}`);
  try {
    const idle = await measure('none', server.address, server.pid(), gateways, seconds);
    const parts = await measure('parts', server.address, server.pid(), gateways, seconds);
    const znodes = await measure('znodes', server.address, server.pid(), gateways, seconds);
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(9);
    console.log(
      'way                  ZooKeeper  each Herald*   rows written/s  rows read/s  CPU us/row read',
    );
    const cost = ({ zookeeper, herald, readPerSec }: Measured): number =>
      (1e6 * (Math.max(0, zookeeper - idle.zookeeper) + REPLICAS * Math.max(0, herald - idle.herald))) /
      Math.max(1, readPerSec);
    for (const [name, one] of [
      ['parts', parts],
      ['one entry a gateway', znodes],
    ] as const) {
      const written = one.writtenPerSec.toFixed(0).padStart(14);
      const read = one.readPerSec.toFixed(0).padStart(11);
      const own = percent(Math.max(0, one.herald - idle.herald));
      console.log(
        `${name.padEnd(19)}  ${percent(one.zookeeper)}  ${own}      ${written}  ${read}  ${cost(one).toFixed(0).padStart(15)}`,
      );
    }
    console.log(`* above the ${percent(idle.herald).trim()} it takes to take the reports in`);
    const ratio = cost(znodes) / cost(parts);
    console.log(`parts are ${ratio.toFixed(0)} times cheaper a row (wanted: ${WANTED_RATIO})`);
    if (!(ratio >= WANTED_RATIO)) process.exitCode = 1;
  } finally {
    await server.remove();
  }
}

async function measure(
  way: Way,
  address: string,
  zookeeperPid: number,
  gateways: number,
  seconds: number,
): Promise<Measured> {
  const children = Array.from({ length: REPLICAS }, (_, index) => {
    const order: ReplicaOrder = { way, address, index, replicas: REPLICAS, gateways };
    return fork(fileURLToPath(import.meta.url), ['replica', JSON.stringify(order)], {
      execArgv: process.execArgv,
    });
  });
  try {
    // Warm: every Herald knows every gateway, and those that write have written.
    await until(
      `${way} to be under way`,
      async () => {
        const counts = await Promise.all(children.map(countOf));
        return counts.every(({ rows, written }) => rows === gateways && (way === 'none' || written > 0));
      },
      60_000,
      500,
    );
    await new Promise((resolve) => setTimeout(resolve, WARM_MS));
    const before = await Promise.all(children.map(countOf));
    const zookeeperBefore = cpuSeconds(zookeeperPid);
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const after = await Promise.all(children.map(countOf));
    const zookeeperUsed = cpuSeconds(zookeeperPid) - zookeeperBefore;
    const tookSec = (performance.now() - startMs) / 1_000;
    const sum = (pick: (count: ReplicaCount) => number): number =>
      after.reduce((total, count, index) => total + pick(count) - pick(before[index]!), 0);
    return {
      zookeeper: zookeeperUsed / tookSec,
      herald: sum(({ cpuMs }) => cpuMs) / 1_000 / REPLICAS / tookSec,
      writtenPerSec: sum(({ written }) => written) / tookSec,
      readPerSec: sum(({ taken }) => taken) / tookSec,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function countOf(child: ChildProcess): Promise<ReplicaCount> {
  const answer = once(child, 'message');
  child.send('count');
  return ((await answer) as [ReplicaCount])[0];
}

/** User and system time of a process (proc(5), fields 14 and 15 of stat). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}
