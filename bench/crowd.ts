// How a fleet that has just started takes a crowd: `herald up` with three gateways, and clients of the SDK that all come
// within two seconds, each a lookup, a connection and a subscription. What shows is how often they are refused though there
// is room, and when each is live. Clients and fleet share the machine.
//
//   node scripts/run-ts.mjs bench/crowd.ts [--clients 1000] [--within-ms 2000] [--herald dist/cli/main.js]
//
// `--herald` = another build to compare with.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Client } from '../src/client/index.ts';
import { connect } from '../src/client/index.ts';

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '1000' },
    'within-ms': { type: 'string', default: '2000' },
    herald: { type: 'string', default: 'dist/cli/main.js' },
  },
});
const COUNT = Number(values.clients);
const WITHIN_MS = Number(values['within-ms']);
const RUNS = 3;
const PORT_OFFSET = 300;
const HERALD = `http://127.0.0.1:${7400 + PORT_OFFSET}`;
const TOPICS = 50;
/** Who is not live by then never will be. */
const GIVE_UP_MS = 60_000;

/** Offers no compression: inflating would be most of what a client costs. */
class PlainSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false });
  }
}

console.log(`${COUNT} clients within ${WITHIN_MS} ms, three gateways`);
console.log('refused   live   live after p50, p99, last ms');
for (let run = 0; run < RUNS; run++) console.log(await measure());
process.exit(0);

async function measure(): Promise<string> {
  const args = ['up', '--no-bots', '--port-offset', String(PORT_OFFSET)];
  const herald = spawn(process.execPath, [values.herald, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => herald.kill('SIGKILL'));
  for await (const line of createInterface({ input: herald.stdout })) {
    if (line.includes('Ctrl-C stops everything')) break;
  }
  const { refused, tookMs } = await crowd();
  herald.kill('SIGINT');
  await once(herald, 'exit');
  const at = (share: number): string =>
    (tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))] ?? NaN).toFixed(0);
  return [
    String(refused).padStart(7),
    String(tookMs.length).padStart(5),
    `${at(0.5)}, ${at(0.99)}, ${at(1)}`.padStart(30),
  ].join('  ');
}

/** `tookMs`: from a client's coming until it was live, sorted. */
async function crowd(): Promise<{ refused: number; tookMs: number[] }> {
  const tookMs: number[] = [];
  let refused = 0;
  const clients: Client[] = [];
  const arrive = (i: number): Promise<void> =>
    new Promise((resolve) => {
      const startMs = performance.now();
      const client = connect({ herald: HERALD, topics: [`t${i % TOPICS}`], webSocket: PlainSocket });
      clients.push(client);
      client.on('state', (state) => {
        if (state.name === 'waiting' && state.why.includes('admission limit')) refused += 1;
        if (state.name !== 'live') return;
        tookMs.push(performance.now() - startMs);
        resolve();
      });
    });
  const all = Array.from({ length: COUNT }, async (_, i) => {
    await pause((WITHIN_MS * i) / COUNT);
    await arrive(i);
  });
  await Promise.race([Promise.all(all), pause(GIVE_UP_MS)]);
  for (const client of clients) client.close();
  return { refused, tookMs: tookMs.sort((a, b) => a - b) };
}
