// What one lookup over HTTP costs Herald's process, beside a bare node:http server that sends the very same
// bytes, in the same run: CPU us a request, on kept connections and on one connection a request. The load
// comes from a process of its own; the servers take turns, so a machine that drifts drifts for both. Both get
// the same rate: a server that is flooded reads many requests at once and each costs less, so two servers at
// different rates cannot be compared. `flat-out` shows that case as well. All are warmed up first: a daemon runs for
// weeks, and while the engine compiles its code, in threads that count as well, it costs more than its work.
// Herald's clock ticks are part of its figure: without requests they cost far more than beside them, when each wakes the
// processor for itself, so what an idle Herald costs cannot be subtracted.
//
//   node scripts/run-ts.mjs bench/lookup-http.ts [rounds] [gateways]

import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/daemon/clock.ts';
import { loadConfig } from '../src/daemon/config.ts';
import { silentLog } from '../src/daemon/log.ts';
import { createMetrics } from '../src/daemon/metrics.ts';
import { heraldOptions } from '../src/herald/herald-options.ts';
import { createHttpServer } from '../src/herald/http/http-server.ts';
import { startHerald } from '../src/herald/start-herald.ts';

type Mode = 'kept' | 'one-each' | 'flat-out';
interface LoadOrder {
  port: number;
  mode: Mode;
  requests: number;
}
interface Measured extends LoadResult {
  /** CPU a request. */
  us: number;
}
interface LoadResult {
  requestsPerSec: number;
  p50Ms: number;
  p99Ms: number;
}

const KEPT_CONNECTIONS = 32;
const MODES = ['kept', 'one-each', 'flat-out'] as const;
/** Each server is started so often: where its memory and code come to lie moves what it costs by a tenth. */
const INSTANCES = 3;
const WARM_UP_REQUESTS = { 'flat-out': 30_000, kept: 20_000 };
const REQUESTS: Record<Mode, number> = { kept: 4_000, 'one-each': 1_500, 'flat-out': 20_000 };
/** Infinity = the next one as soon as the last is answered. */
const PER_SEC: Record<Mode, number> = { kept: 2_000, 'one-each': 700, 'flat-out': Infinity };
type ServerName = 'raw' | 'fastify' | 'herald';
const SERVERS: readonly ServerName[] = ['raw', 'fastify', 'herald'];
const SECRET = 'a bench secret of 30 characters';

const [role = 'main', ...args] = process.argv.slice(2);
if (role === 'herald') await serveHerald(Number(args[0]));
else if (role === 'raw' || role === 'fastify') serveSameBytes(role);
else if (role === 'load') serveLoad();
else await compare(Number(role) || 4, Number(args[0]) || 20);

async function serveHerald(gateways: number): Promise<void> {
  const any = '127.0.0.1:0';
  const config = loadConfig(heraldOptions, {
    flags: {
      id: 'bench',
      publicListen: any,
      controlListen: any,
      agentListen: any,
      adminListen: any,
      secret: SECRET,
    },
  });
  const herald = await startHerald(
    { ...config, staleAfterMs: 600_000, expireAfterMs: 86_400_000, admitScore: 1_000 },
    { log: silentLog, metrics: createMetrics(), clock: systemClock },
  );
  await report(herald.addresses.control, gateways);
  answerParent(Number(new URL(herald.addresses.public).port));
}

/** Signed like any gateway's, once; the table is then left as it is. */
async function report(control: string, gateways: number): Promise<void> {
  const { deriveKey, signFeedback } = await import('../src/daemon/secrets.ts');
  const nonce = (await fetch(`${control}/v1/brokers`)).headers.get('herald-nonce') ?? '';
  for (let i = 1; i <= gateways; i++) {
    const gateway = `gw-${i}`;
    const url = `wss://gw-${i}.example.net:7410/ws`;
    const body = JSON.stringify({
      v: 1,
      gateway,
      url,
      seq: 1,
      cpu: 0.3,
      capacity: 100_000,
      periodMs: 60_000,
    });
    const signature = `${gateway};${nonce};${signFeedback(deriveKey(SECRET, 'feedback', gateway), nonce, body)}`;
    const headers = { 'content-type': 'application/json', 'herald-signature': signature };
    const { status } = await fetch(`${control}/v1/feedback`, { method: 'POST', headers, body });
    if (status !== 200) throw new Error(`report refused: ${status}`);
  }
}

/** Sends what Herald sent, header by header, computed by nobody: bare, or through Fastify as Herald uses it. */
function serveSameBytes(kind: 'raw' | 'fastify'): void {
  process.on('message', (message: { head?: Record<string, string>; body?: string }) => {
    const { head, body } = message;
    if (head === undefined || body === undefined) return;
    if (kind === 'raw') {
      const server = createServer((_request, response) => {
        response.writeHead(200, head);
        response.end(body);
      });
      server.listen(0, '127.0.0.1', () => answerParent((server.address() as AddressInfo).port));
      return;
    }
    const app = createHttpServer({
      log: silentLog,
      routes: [],
      bodyLimitBytes: 1_024,
      keepAliveMs: 5_000,
      maxConnections: 10_000,
    });
    app.get('/v1/lookup', (_request, reply) => void reply.headers(head).send(body));
    void app
      .listen({ host: '127.0.0.1', port: 0 })
      .then(() => answerParent((app.server.address() as AddressInfo).port));
  });
}

function answerParent(port: number): void {
  process.on('message', (message) => {
    if (message === 'cpu') process.send?.({ cpuUs: cpuUs() });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function serveLoad(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (order: LoadOrder) => {
    void runLoad(order).then((result) => process.send?.(result));
  });
}

async function runLoad({ port, mode, requests }: LoadOrder): Promise<LoadResult> {
  const tookMs: number[] = [];
  let left = requests;
  const worker = mode === 'one-each' ? oneEachWorker : keptWorker;
  const startMs = performance.now();
  let sent = 0;
  // The moment at which the next request is due, of all workers together.
  const due: Due = async () => {
    const waitMs = startMs + (1_000 * sent++) / PER_SEC[mode] - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  };
  await Promise.all(
    Array.from({ length: KEPT_CONNECTIONS }, () =>
      worker(
        port,
        () => left-- > 0,
        due,
        (ms) => tookMs.push(ms),
      ),
    ),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? NaN;
  return { requestsPerSec: requests / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

type Due = () => Promise<void>;
type Worker = (port: number, more: () => boolean, due: Due, done: (ms: number) => void) => Promise<void>;

const keptWorker: Worker = (port, more, due, done) =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const request = 'GET /v1/lookup HTTP/1.1\r\nHost: herald\r\n\r\n';
    let text = '';
    let sentMs = 0;
    const next = async (): Promise<void> => {
      if (!more()) {
        socket.destroy();
        resolve();
        return;
      }
      await due();
      sentMs = performance.now();
      socket.write(request);
    };
    socket.setEncoding('latin1');
    socket.on('connect', () => void next());
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (end < 0 || text.length < end + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) reject(new Error(text.slice(0, 80)));
      text = '';
      done(performance.now() - sentMs);
      void next();
    });
  });

const oneEachWorker: Worker = async (port, more, due, done) => {
  while (more()) {
    await due();
    const sentMs = performance.now();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write('GET /v1/lookup HTTP/1.1\r\nHost: herald\r\nConnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    done(performance.now() - sentMs);
  }
};

async function compare(rounds: number, gateways: number): Promise<void> {
  const measured = new Map<string, Measured[]>();
  let bytes = 0;
  for (let instance = 0; instance < INSTANCES; instance++) {
    const servers = await startServers(gateways);
    const load = start('load');
    bytes = servers.bytes;
    for (const mode of ['flat-out', 'kept'] as const) {
      for (const name of SERVERS) {
        await ordered(load, { port: servers[name].port, mode, requests: WARM_UP_REQUESTS[mode] });
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
          const result = await ordered(load, { port, mode, requests: REQUESTS[mode] });
          const usedUs = (await cpuOf(child)) - beforeUs;
          const us = usedUs / REQUESTS[mode];
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
        `${mode.padEnd(9)} ${name.padEnd(7)} ${of('us').toFixed(1)} us CPU a request, ` +
          `${Math.round(of('requestsPerSec'))}/s, p50 ${of('p50Ms').toFixed(1)} ms, p99 ${of('p99Ms').toFixed(1)} ms, ` +
          `raw / ${name} ${ratio.toFixed(2)}`,
      );
    }
    console.log();
  }
}

async function startServers(
  gateways: number,
): Promise<Record<ServerName, { child: ChildProcess; port: number }> & { bytes: number }> {
  const herald = start('herald', String(gateways));
  const heraldPort = await portOf(herald);
  const sample = await fetch(`http://127.0.0.1:${heraldPort}/v1/lookup`);
  const skipped = ['date', 'connection', 'keep-alive'];
  const head = Object.fromEntries([...sample.headers].filter(([name]) => !skipped.includes(name)));
  const body = await sample.text();
  const raw = start('raw');
  raw.send({ head, body });
  const fastify = start('fastify');
  fastify.send({ head, body });
  return {
    raw: { child: raw, port: await portOf(raw) },
    fastify: { child: fastify, port: await portOf(fastify) },
    herald: { child: herald, port: heraldPort },
    bytes: body.length,
  };
}

function start(...childArgs: string[]): ChildProcess {
  return fork(fileURLToPath(import.meta.url), childArgs, { stdio: 'inherit' });
}

async function portOf(child: ChildProcess): Promise<number> {
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return message.port;
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
