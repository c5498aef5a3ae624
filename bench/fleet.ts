// What a fleet's size costs one Herald: with 20, 1,000 and 5,000 gateways that report over a connection each, how
// much of a core it takes, how late its event loop is, and how long lookups wait meanwhile. Everything that a real
// one does once a second is on: StatsD, the file of its table, a watcher of the table. Each size is a Herald of its own.
//
//   node scripts/run-ts.mjs bench/fleet.ts [seconds]

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/daemon/clock.ts';
import { loadConfig } from '../src/daemon/config.ts';
import { silentLog } from '../src/daemon/log.ts';
import { createMetrics } from '../src/daemon/metrics.ts';
import { heraldOptions } from '../src/herald/herald-options.ts';
import { startHerald } from '../src/herald/start-herald.ts';
import { watchLoop } from './fanout-roles/loop-delay.ts';

interface Size {
  gateways: number;
  periodMs: number;
}
interface Urls {
  public: string;
  control: string;
  admin: string;
}
interface Usage {
  cpuUs: number;
  loopP99Ms: number;
  loopMaxMs: number;
  megabytes: number;
}

const SIZES: readonly Size[] = [
  { gateways: 20, periodMs: 500 },
  { gateways: 1_000, periodMs: 500 },
  { gateways: 5_000, periodMs: 2_500 },
];
const LOOKUPS_PER_SEC = 200;
/** Connections are opened and the engine compiles meanwhile. */
const WARM_UP_MS = 10_000;

const [role = '10', ...args] = process.argv.slice(2);
if (role === 'herald') await serveHerald(Number(args[0]), args[1]!);
else if (role === 'gateways') reportForEver(Number(args[0]), Number(args[1]), args[2]!);
else await compareSizes(Number(role));

async function serveHerald(periodMs: number, snapshotFile: string): Promise<void> {
  const any = '127.0.0.1:0';
  const flags = { id: 'bench', publicListen: any, controlListen: any, agentListen: any, adminListen: any };
  const config = loadConfig(heraldOptions, { flags: { ...flags, snapshotFile, statsd: '127.0.0.1:9' } });
  const staleAfterMs = Math.max(config.staleAfterMs, 4 * periodMs);
  const herald = await startHerald(
    { ...config, periodMs, staleAfterMs },
    { log: silentLog, metrics: createMetrics(), clock: systemClock },
  );
  const loop = watchLoop();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = { cpuUs: user + system, ...loop(), megabytes: process.memoryUsage.rss() / 2 ** 20 };
    process.send?.(usage);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.(herald.addresses);
}

/** Each gateway keeps one connection, as the reporter does, and their periods are spread evenly. */
function reportForEver(gateways: number, periodMs: number, control: string): void {
  process.on('disconnect', () => process.exit(0));
  const { hostname: host, port } = new URL(control);
  for (let i = 0; i < gateways; i++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let seq = 0;
    const report = (): void => {
      const body = JSON.stringify(reportOf(i, ++seq, periodMs));
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const post = request({ host, port, path: '/v1/feedback', method: 'POST', agent, headers }, (answer) => {
        if (answer.statusCode !== 200) throw new Error(`report refused: ${answer.statusCode}`);
        answer.resume();
      });
      post.end(body);
    };
    setTimeout(() => setInterval(report, periodMs), (periodMs * i) / gateways);
  }
}

function reportOf(index: number, seq: number, periodMs: number): object {
  const acceptedTotal = 1_000 + seq;
  return {
    v: 1,
    gateway: `gw-${index}`,
    url: `wss://gw-${index}.example.net:7410/ws`,
    bootId: 'bench',
    seq,
    periodMs,
    zone: `zone-${index % 3}`,
    labels: { track: index % 10 === 0 ? 'canary' : 'stable' },
    state: 'up',
    cpu: 0.3 + 0.3 * Math.random(),
    throttled: 0,
    eventLoop: 0.3,
    memory: 0.4,
    messagesPerSec: 4_000,
    bytesPerSec: 2_000_000,
    bufferedBytes: 0,
    deliveryLagMs: 20,
    connections: 900,
    youngConnections: 3,
    acceptedTotal,
  };
}

async function compareSizes(seconds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'herald-bench-'));
  console.log('gateways  reports/s   core  loop late p99, worst ms   lookup p50, p99, worst ms   memory MB');
  for (const [index, size] of SIZES.entries()) {
    const children: ChildProcess[] = [];
    const start = async (...roleArgs: string[]): Promise<ChildProcess> => {
      const child = fork(fileURLToPath(import.meta.url), roleArgs, { execArgv: process.execArgv });
      children.push(child);
      return child;
    };
    try {
      const herald = await start('herald', String(size.periodMs), join(folder, `${index}.json`));
      const [urls] = (await once(herald, 'message')) as [Urls];
      await start('gateways', String(size.gateways), String(size.periodMs), urls.control);
      const watcher = get(`${urls.admin}/v1/table/stream`, (answer) => answer.resume());
      watcher.on('error', () => {});
      await pause(WARM_UP_MS);
      const before = await usageOf(herald);
      const tookMs = await lookUp(urls.public, seconds);
      const after = await usageOf(herald);
      watcher.destroy();
      console.log(lineOf(size, (after.cpuUs - before.cpuUs) / 1e6 / seconds, after, tookMs));
    } finally {
      for (const child of children) child.disconnect();
    }
  }
  await rm(folder, { recursive: true });
}

/** At its rate whether answers come or not, so that one that is late makes the next ones wait too. */
async function lookUp(publicUrl: string, seconds: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const tookMs: number[] = [];
  const startMs = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < seconds * LOOKUPS_PER_SEC; i++) {
    const dueMs = startMs + (1_000 * i) / LOOKUPS_PER_SEC;
    if (dueMs > performance.now()) await pause(dueMs - performance.now());
    all.push(
      new Promise((resolve, reject) => {
        get(`${publicUrl}/v1/lookup`, { agent }, (answer) => {
          if (answer.statusCode !== 200) reject(new Error(`lookup refused: ${answer.statusCode}`));
          answer.resume().once('end', () => {
            tookMs.push(performance.now() - dueMs);
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

async function usageOf(herald: ChildProcess): Promise<Usage> {
  const answer = once(herald, 'message');
  herald.send('usage');
  return ((await answer) as [Usage])[0];
}

function lineOf({ gateways, periodMs }: Size, core: number, usage: Usage, tookMs: number[]): string {
  const at = (share: number): string =>
    (tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? NaN).toFixed(1);
  return [
    String(gateways).padStart(8),
    String((1_000 * gateways) / periodMs).padStart(9),
    core.toFixed(2).padStart(7),
    `${usage.loopP99Ms.toFixed(1)}, ${usage.loopMaxMs.toFixed(1)}`.padStart(24),
    `${at(0.5)}, ${at(0.99)}, ${at(1)}`.padStart(26),
    usage.megabytes.toFixed(0).padStart(10),
  ].join('  ');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
