// What sharing the load table costs, in CPU per second of ZooKeeper and of each Herald: 1,000 gateways that
// report once a second, three Heralds, one real ZooKeeper; table parts beside one entry a gateway, in the
// same run. What it costs to take the reports in (without HTTP) and to be joined to ZooKeeper is the same either
// way; it is measured first and taken off both. A machine too busy to keep the pace hands on fewer rows, so the
// ratio is of CPU per row that reached another Herald.
//
//   node scripts/run-ts.mjs bench/zookeeper.ts [gateways] [seconds]

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { launchZookeeper } from '../test/launch/zookeeper.ts';
import { until } from '../test/launch/until.ts';
import type { ReplicaCount, ReplicaOrder, Way } from './zookeeper-roles/replica.ts';
import { runReplica } from './zookeeper-roles/replica.ts';

const REPLICAS = 3;
const TICKS_PER_SEC = 100;
const WANTED_RATIO = 20;
/** Code that runs once a second is compiled late; what a Herald costs for days is wanted. */
const WARM_MS = 45_000;
/** A thousand entries a second warm every process sooner, ZooKeeper for all that follows too. */
const WARM_ENTRIES_MS = 20_000;
/** As operators run it: with the JVM's own choice of compilers and collector. */
const JVM = ['-Xmx512m'];

const [first = '1000', second = '10'] = process.argv.slice(2);
if (first === 'replica') runReplica(JSON.parse(second) as ReplicaOrder);
else await main(Number(first), Number(second));

interface Measured {
  /** CPU seconds per second. */
  zookeeper: number;
  herald: number;
  writtenPerSec: number;
  readPerSec: number;
}

interface Server {
  address: string;
  pid: number;
}

async function main(gateways: number, seconds: number): Promise<void> {
  const launched = await launchZookeeper({ jvm: JVM });
  const server = { address: launched.address, pid: launched.pid() };
  console.log(`${gateways} gateways x 1 Hz, ${REPLICAS} Heralds, ${seconds} s each, ${cpus()[0]?.model}`);
  try {
    const znodes = await measure('znodes', server, gateways, seconds, WARM_ENTRIES_MS);
    const none = await measure('none', server, gateways, seconds, WARM_MS);
    const parts = await measure('parts', server, gateways, seconds, WARM_MS);
    print(none, parts, znodes);
  } finally {
    await launched.remove();
  }
}

function print(none: Measured, parts: Measured, znodes: Measured): void {
  const above = (one: Measured): Measured => ({
    ...one,
    zookeeper: Math.max(0, one.zookeeper - none.zookeeper),
    herald: Math.max(0, one.herald - none.herald),
  });
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`.padStart(10);
  const perRow = (one: Measured, cost: (one: Measured) => number): number =>
    (1e6 * cost(one)) / Math.max(1, one.readPerSec);
  const all = (one: Measured): number => one.zookeeper + REPLICAS * one.herald;

  console.log('way                   ZooKeeper  each Herald  rows written/s  rows read/s  CPU us/row read');
  const rows: [string, Measured][] = [
    ['nothing shared', none],
    ['parts*', above(parts)],
    ['one entry a gateway*', above(znodes)],
  ];
  for (const [name, one] of rows) {
    const written = one.writtenPerSec.toFixed(0).padStart(14);
    const read = one.readPerSec.toFixed(0).padStart(11);
    const cost = one === none ? '' : perRow(one, all).toFixed(1).padStart(15);
    console.log(
      `${name.padEnd(20)} ${percent(one.zookeeper)}   ${percent(one.herald)}  ${written}  ${read}  ${cost}`,
    );
  }
  console.log('* above what it costs with nothing shared');
  const ratio = (cost: (one: Measured) => number): number =>
    perRow(above(znodes), cost) / perRow(above(parts), cost);
  console.log(
    `parts are ${ratio(all).toFixed(1)} times cheaper a row (wanted: ${WANTED_RATIO}): ` +
      `ZooKeeper ${ratio(({ zookeeper }) => zookeeper).toFixed(1)}, Heralds ${ratio(({ herald }) => herald).toFixed(1)}`,
  );
  if (!(ratio(all) >= WANTED_RATIO)) process.exitCode = 1;
}

async function measure(
  way: Way,
  { address, pid: zookeeperPid }: Server,
  gateways: number,
  seconds: number,
  warmMs: number,
): Promise<Measured> {
  // In a folder of its own: what an earlier run left there would be newer than the first reports.
  const startEpochMs = Date.now();
  const run = `${way}-${startEpochMs}`;
  const children = Array.from({ length: REPLICAS }, (_, index) => {
    const order: ReplicaOrder = {
      way,
      address: `${address}/${run}`,
      index,
      replicas: REPLICAS,
      gateways,
      startEpochMs,
    };
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
    await pause(warmMs);
    const before = await Promise.all(children.map(countOf));
    const zookeeperBefore = cpuSeconds(zookeeperPid);
    const startMs = performance.now();
    await pause(seconds * 1_000);
    const after = await Promise.all(children.map(countOf));
    const zookeeperUsed = cpuSeconds(zookeeperPid) - zookeeperBefore;
    const tookSec = (performance.now() - startMs) / 1_000;
    const sum = (pick: (count: ReplicaCount) => number): number =>
      after.reduce((total, count, index) => total + pick(count) - pick(before[index]!), 0);
    return {
      zookeeper: zookeeperUsed / tookSec,
      herald: sum(({ cpuMs }) => cpuMs) / 1_000 / REPLICAS / tookSec,
      writtenPerSec: sum(({ written }) => written) / tookSec,
      readPerSec: sum(({ read }) => read) / tookSec,
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
