// The servers of bench/lookup-http.ts, one a process: a Herald whose gateways have reported, and those that send what it
// sends.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { deriveKey, signFeedback } from '../../src/daemon/secrets.ts';
import { heraldOptions } from '../../src/herald/config/herald-options.ts';
import { createHttpServer } from '../../src/herald/http/http-server.ts';
import { startHerald } from '../../src/herald/start-herald.ts';
import type { Answer, ServerTask } from './words.ts';

const SECRET = 'a bench secret of 30 characters';

process.on('disconnect', () => process.exit(0));
const task = JSON.parse(process.argv[2]!) as ServerTask;
const port = await serve(task);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.send?.({ port });

function serve(task: ServerTask): Promise<number> {
  if (task.server === 'herald') return serveHerald(task.gateways);
  return task.server === 'raw' ? serveBare(task) : serveFastify(task);
}

async function serveHerald(gateways: number): Promise<number> {
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
  return Number(new URL(herald.addresses.public).port);
}

/** Signed like any gateway's, once; the table is then left as it is. */
async function report(control: string, gateways: number): Promise<void> {
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

/** Sends what Herald sent, header by header, computed by nobody. */
async function serveBare({ head, body }: Answer): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, head);
    response.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** The same through Fastify as Herald uses it. */
async function serveFastify({ head, body }: Answer): Promise<number> {
  const app = createHttpServer({
    log: silentLog,
    routes: [],
    bodyLimitBytes: 1_024,
    keepAliveMs: 5_000,
    maxConnections: 10_000,
  });
  app.get('/v1/lookup', (_request, reply) => void reply.headers(head).send(body));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}
