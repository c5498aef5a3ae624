// What a delivery costs: one gateway on one core, thousands of clients on the other, beside floors that only
// write, the ws package's plain `send`, Socket.IO, nchan and nats-server, in the same run. Absolute figures move
// with the machine; the ratio to the floor of the same run decides. Figures stand in docs/performance.md.
//
//   node scripts/run-ts.mjs bench/fanout.ts [--connections 3500] [--seconds 10] [--repeats 3] [--only text,text] [--ahead]

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Figures } from './fanout-roles/measure.ts';
import { idleBytes, measure } from './fanout-roles/measure.ts';
import { scenarios, targets } from './fanout-roles/scenarios.ts';
import type { ServerKind } from './fanout-roles/servers.ts';
import { missing } from './fanout-roles/servers.ts';
import { AHEAD, CAN_PIN, LOAD_CORE, SERVER_CORE } from './role/role.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3500' },
    seconds: { type: 'string', default: '10' },
    repeats: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    // All parts before other work on the machine: see role.ts.
    ahead: { type: 'boolean', default: false },
  },
});
const plan = {
  connections: Number(values.connections),
  seconds: Number(values.seconds),
  repeats: Number(values.repeats),
};
const IDLE_KINDS: readonly ServerKind[] = ['gateway', 'ws', 'socketio', 'nchan', 'nats'];
const IDLE_CONNECTIONS = 4_000;
const IDLE_TARGET_KB = 9;

const wanted = (name: string): boolean => values.only.split(',').some((part) => name.includes(part));

function isThere(name: string, kind: ServerKind): boolean {
  const remedy = missing(kind);
  if (remedy !== undefined) console.log(`!! ${name}: NOT MEASURED, ${kind} is not installed (${remedy})`);
  return remedy === undefined;
}

const column = (value: number | undefined, digits: number, width: number): string =>
  (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)).padStart(width);

function print(name: string, figures: Figures): void {
  console.log(
    name.padEnd(42) +
      Math.round(figures.perSec).toLocaleString('en').padStart(9) +
      column(figures.arrived * 100, 1, 7) +
      column(figures.core, 2, 6) +
      column(figures.usEach, 2, 8) +
      column(figures.framesPerWrite, 1, 8) +
      column(figures.p50Ms, 0, 6) +
      column(figures.p99Ms, 0, 6) +
      column(figures.loopP99Ms, 1, 7) +
      column(figures.loopMaxMs, 1, 7) +
      column(figures.clientCore, 2, 8) +
      column(figures.bytesPerFrame, 0, 7),
  );
}

console.log(
  `${plan.connections} connections, windows of ${plan.seconds} s, medians of ${plan.repeats}; ` +
    `${cpus()[0]?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}, ` +
    `load average ${loadavg()[0]!.toFixed(1)}` +
    (CAN_PIN
      ? `, server on core ${SERVER_CORE}, everything else on core ${LOAD_CORE}`
      : ', NOT PINNED: no taskset') +
    (AHEAD ? ', ahead of other processes' : ''),
);
console.log(
  'arrived: % of what was due; core: share of one core; loop: how late the event loop of the server was, ms, ' +
    'p99 and worst;\nclient: what the load client itself takes of its core; bytes: on the wire a frame\n',
);
console.log(
  `${'what'.padEnd(42)}${'per s'.padStart(9)}${'arrived'.padStart(7)}${'core'.padStart(6)}${'us each'.padStart(8)}` +
    `${'fr/write'.padStart(8)}${'p50'.padStart(6)}${'p99'.padStart(6)}${'loop99'.padStart(7)}${'loopmax'.padStart(7)}` +
    `${'client'.padStart(8)}${'bytes'.padStart(7)}`,
);

const measured = new Map<string, Figures>();
for (const scenario of scenarios(plan.connections)) {
  const { name, server } = scenario;
  if (!wanted(name) || !isThere(name, server.kind)) continue;
  const figures = await measure(scenario, plan);
  measured.set(name, figures);
  print(name, figures);
}
for (const kind of IDLE_KINDS) {
  const name = `idle ${kind}`;
  if (!wanted(name) || !isThere(name, kind)) continue;
  const kilobytes = (await idleBytes({ kind }, IDLE_CONNECTIONS)) / 1_024;
  const verdict =
    kind === 'gateway'
      ? `, ${kilobytes <= IDLE_TARGET_KB ? 'reached' : 'MISSED'}: <= ${IDLE_TARGET_KB} KB`
      : '';
  console.log(`${name}: ${kilobytes.toFixed(1)} KB of resident memory a connection${verdict}`);
}

console.log('');
for (const target of targets) {
  const verdict = target.judge(measured);
  if (verdict) console.log(`${verdict.reached ? 'reached' : 'MISSED '}  ${target.text}: ${verdict.value}`);
}
