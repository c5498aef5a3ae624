// What a fleet's size costs one Herald: with 20, 1,000 and 4,000 gateways that report over a connection each, how much
// of a core it takes, how late its event loop is, and how long lookups wait meanwhile. StatsD, the file of the table
// and a watcher of the table are on. Each size is a Herald of its own, on a core of its own.
//
//   node scripts/run-ts.mjs bench/fleet.ts [--ahead]

import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FleetOrder } from './fleet-roles/gateways.ts';
import type { HeraldOrder } from './fleet-roles/herald.ts';
import { LOAD_CORE, NICENESS, Role, SERVER_CORE } from './role/role.ts';

const SIZES = [
  { gateways: 20, periodMs: 500 },
  { gateways: 1_000, periodMs: 500 },
  { gateways: 4_000, periodMs: 2_000 },
];
const LOOKUPS_PER_SEC = 200;
/** Connections are opened and the engine compiles meanwhile. */
const WARM_UP_MS = 15_000;
const SECONDS = 10;

const folder = await mkdtemp(join(tmpdir(), 'herald-bench-'));
console.log('gateways  reports/s     core   loop late p99, worst ms   lookup p50, p99, worst ms   memory MB');
for (const size of SIZES) console.log(await measure(size));
await rm(folder, { recursive: true });

async function measure({ gateways, periodMs }: (typeof SIZES)[number]): Promise<string> {
  const snapshotFile = join(folder, `${gateways}.json`);
  const heraldOrder: HeraldOrder = { periodMs, snapshotFile };
  const herald = Role.node('fleet-roles/herald', SERVER_CORE, NICENESS.server, heraldOrder);
  const urls = await herald.next<{ public: string; control: string; admin: string }>();
  const fleetOrder: FleetOrder = { gateways, periodMs, control: urls.control };
  const fleet = Role.node('fleet-roles/gateways', LOAD_CORE, NICENESS.clients, fleetOrder);
  const watcher = get(`${urls.admin}/v1/table/stream`, (answer) => answer.resume());
  watcher.on('error', () => {});
  await pause(WARM_UP_MS);
  await herald.ask('late');
  const beforeMs = herald.cpuMs();
  const tookMs = await lookUp(urls.public);
  const core = (herald.cpuMs() - beforeMs) / 1_000 / SECONDS;
  const { loopP99Ms, loopMaxMs } = await herald.ask<{ loopP99Ms: number; loopMaxMs: number }>('late');
  const megabytes = herald.rssBytes() / 2 ** 20;
  await fleet.end();
  watcher.destroy();
  await herald.end('SIGKILL');
  const at = (share: number): string =>
    (tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? NaN).toFixed(1);
  return [
    String(gateways).padStart(8),
    String((1_000 * gateways) / periodMs).padStart(9),
    core.toFixed(2).padStart(7),
    `${loopP99Ms.toFixed(1)}, ${loopMaxMs.toFixed(1)}`.padStart(24),
    `${at(0.5)}, ${at(0.99)}, ${at(1)}`.padStart(26),
    megabytes.toFixed(0).padStart(10),
  ].join('  ');
}

/** At its rate whether answers come or not, so that one that is late makes the next ones wait too. Sorted, ms. */
async function lookUp(publicUrl: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const tookMs: number[] = [];
  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < SECONDS * LOOKUPS_PER_SEC; i++) {
    const dueMs = startMs + (1_000 * i) / LOOKUPS_PER_SEC;
    if (dueMs > performance.now()) await pause(dueMs - performance.now());
    const sentMs = performance.now();
    all.push(
      new Promise((resolve, reject) => {
        get(`${publicUrl}/v1/lookup`, { agent }, (answer) => {
          if (answer.statusCode !== 200) reject(new Error(`lookup refused: ${answer.statusCode}`));
          answer.resume().once('end', () => {
            tookMs.push(performance.now() - sentMs);
            resolve();
          });
        }).on('error', reject);
      }),
    );
  }
  await Promise.all(all);
  agent.destroy();
  return tookMs.sort((a, b) => a - b);
}
