// What one lookup over HTTP costs Herald's process, beside a bare node:http server that sends the very same bytes, in the
// same run: CPU us a request, on kept connections and on one connection a request, each flat out and at a rate. The
// load comes from a process of its own; the servers take turns, so a machine that drifts drifts for all. All are
// warmed up first: a daemon runs for weeks, and while the engine compiles its code, in threads that count as well,
// it costs more than its work. Herald's clock ticks are part of its figure: without requests they cost far more than
// beside them, when each wakes the processor for itself, so what an idle Herald costs cannot be subtracted.
//
//   node scripts/run-ts.mjs bench/lookup-http.ts [rounds] [gateways]

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadOrder, LoadResult, Mode, ServerName, ServerTask } from './lookup-http-roles/words.ts';
import { MODES, SERVERS } from './lookup-http-roles/words.ts';

interface Measured extends LoadResult {
  /** CPU a request. */
  us: number;
}
interface Server {
  child: ChildProcess;
  port: number;
}

/** Each server is started so often: where its memory and code come to lie moves what it costs by a tenth. */
const INSTANCES = 3;
/** Requests in a round, and before the first one. */
const ROUND: Record<Mode, number> = {
  'kept-flat-out': 20_000,
  'one-each-flat-out': 10_000,
  kept: 4_000,
  'one-each': 1_500,
};
const WARM_UP: Record<Mode, number> = {
  'kept-flat-out': 30_000,
  'one-each-flat-out': 20_000,
  kept: 20_000,
  'one-each': 1_500,
};

const [rounds, gateways] = process.argv.slice(2);
await compare(Number(rounds) || 4, Number(gateways) || 20);

async function compare(rounds: number, gateways: number): Promise<void> {
  const measured = new Map<string, Measured[]>();
  let bytes = 0;
  for (let instance = 0; instance < INSTANCES; instance++) {
    const servers = await startServers(gateways);
    const load = start('load');
    bytes = servers.bytes;
    for (const mode of MODES) {
      for (const name of SERVERS) {
        await ordered(load, { port: servers[name].port, mode, requests: WARM_UP[mode] });
      }
    }
    for (const mode of MODES) {
      // The first round does not count. Each round begins with another server, for what one leaves behind in the machine's
      // caches is the next one's to bear.
      for (let round = 0; round <= rounds; round++) {
        const first = round % SERVERS.length;
        for (const name of [...SERVERS.slice(first), ...SERVERS.slice(0, first)]) {
          const { child, port } = servers[name];
          const beforeUs = await cpuOf(child);
          const result = await ordered(load, { port, mode, requests: ROUND[mode] });
          const usedUs = (await cpuOf(child)) - beforeUs;
          const us = usedUs / ROUND[mode];
          const key = `${mode} ${name}`;
          if (round > 0) measured.set(key, [...(measured.get(key) ?? []), { ...result, us }]);
        }
      }
    }
    for (const child of [...SERVERS.map((name) => servers[name].child), load]) child.disconnect();
  }

  console.log(
    `Node ${process.version}, ${gateways} gateways, ${INSTANCES} times ${rounds} rounds, answer of ${bytes} bytes\n`,
  );
  for (const mode of MODES) {
    const raw = measured.get(`${mode} raw`)!;
    for (const name of SERVERS) {
      const all = measured.get(`${mode} ${name}`)!;
      const of = (field: keyof Measured): number => median(all.map((one) => one[field]));
      const ratio = median(all.map(({ us }, i) => raw[i]!.us / us));
      console.log(
        `${mode.padEnd(17)} ${name.padEnd(7)} ${of('us').toFixed(1)} us CPU a request, ` +
          `${Math.round(of('requestsPerSec'))}/s, p50 ${of('p50Ms').toFixed(1)} ms, p99 ${of('p99Ms').toFixed(1)} ms, ` +
          `raw / ${name} ${ratio.toFixed(2)}`,
      );
    }
    console.log();
  }
}

async function startServers(gateways: number): Promise<Record<ServerName, Server> & { bytes: number }> {
  const herald = await startServer({ server: 'herald', gateways });
  const sample = await fetch(`http://127.0.0.1:${herald.port}/v1/lookup`);
  const skipped = ['date', 'connection', 'keep-alive'];
  const head = Object.fromEntries([...sample.headers].filter(([name]) => !skipped.includes(name)));
  const body = await sample.text();
  const raw = await startServer({ server: 'raw', head, body });
  const fastify = await startServer({ server: 'fastify', head, body });
  return { raw, fastify, herald, bytes: body.length };
}

async function startServer(task: ServerTask): Promise<Server> {
  const child = start('servers', JSON.stringify(task));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

function start(role: 'servers' | 'load', ...args: string[]): ChildProcess {
  return fork(join(import.meta.dirname, `lookup-http-roles/${role}.js`), args, { stdio: 'inherit' });
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message') as Promise<[{ cpuUs: number }]>;
  child.send('cpu');
  return (await answer)[0].cpuUs;
}

async function ordered(load: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  const answer = once(load, 'message') as Promise<[LoadResult]>;
  load.send(order);
  return (await answer)[0];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
