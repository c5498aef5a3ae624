// What TLS costs a gateway: the same gateway with and without a certificate, one after the other in each round, with the
// same clients in a process of their own. Messages are put into the gateway's hub; no broker takes part.
//
//   node scripts/run-ts.mjs bench/tls.ts [--connections 3000] [--seconds 5] [--repeats 3] [--ahead]

import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CertificateFolder } from '../test/launch/certificate.ts';
import { LOAD_CORE, NICENESS, Role, SERVER_CORE } from './role/role.ts';
import type { GatewayTold, Order } from './tls-roles/words.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '5' },
    repeats: { type: 'string', default: '3' },
    ahead: { type: 'boolean', default: false },
  },
});
const CONNECTIONS = Number(values.connections);
const SECONDS = Number(values.seconds);
/** Compiles the code that is measured. */
const WARM_UP_SEC = 5;
const BYTES = 512;
/** Spread over the connections, each message going to all of them. */
const DELIVERIES_PER_SEC = 20_000;
const KINDS = ['clear', 'tls'] as const;

interface Figures {
  connectMs: number;
  idleKb: number;
  deliveryUs: number;
  framesPerWrite: number;
}

const folder = new CertificateFolder();
process.on('exit', () => folder.remove());
const files = folder.make('bench');

console.log(
  `${CONNECTIONS} connections, ${DELIVERIES_PER_SEC} deliveries of ${BYTES} B a second, windows of ${SECONDS} s, medians of ` +
    `${values.repeats}; ECDSA P-256; ${cpus()[0]?.model.trim()} x ${cpus().length}, Node ${process.version}`,
);
console.log('         CPU ms a connect   KB an idle connection   us a delivery   frames a write');
const all: Record<(typeof KINDS)[number], Figures[]> = { clear: [], tls: [] };
for (let round = 0; round < Number(values.repeats); round++) {
  for (const kind of KINDS) all[kind].push(await measure(kind));
}
for (const kind of KINDS) {
  const median = (of: keyof Figures, digits: number): string => {
    const sorted = all[kind].map((one) => one[of]).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!.toFixed(digits);
  };
  console.log(
    kind.padEnd(6) +
      median('connectMs', 2).padStart(19) +
      median('idleKb', 1).padStart(24) +
      median('deliveryUs', 2).padStart(16) +
      median('framesPerWrite', 1).padStart(17),
  );
}

async function measure(kind: (typeof KINDS)[number]): Promise<Figures> {
  const gateway = Role.node('tls-roles/gateway', SERVER_CORE, NICENESS.server, kind === 'tls' ? files : {});
  const { url } = await gateway.next<GatewayTold>();
  const clients = Role.node('tls-roles/clients', LOAD_CORE, NICENESS.clients, { url });
  await clients.next();
  const order = (wanted: Order): Promise<GatewayTold> => gateway.ask(wanted);
  // The first tenth compiles the code of connecting and grows the heap.
  await clients.ask({ connect: CONNECTIONS / 10 });
  await order({ collect: true });
  const rss = gateway.rssBytes();
  const cpuBefore = gateway.cpuMs();
  await clients.ask({ connect: CONNECTIONS });
  const connectMs = (gateway.cpuMs() - cpuBefore) / CONNECTIONS;
  await order({ collect: true });
  const idleKb = (gateway.rssBytes() - rss) / CONNECTIONS / 1_024;

  const publish = { publish: DELIVERIES_PER_SEC / CONNECTIONS, bytes: BYTES };
  await order(publish);
  await sleep(WARM_UP_SEC * 1_000);
  const from = await order(publish);
  const fromMs = gateway.cpuMs();
  await sleep(SECONDS * 1_000);
  const to = await order(publish);
  const deliveryUs = ((gateway.cpuMs() - fromMs) * 1_000) / (to.delivered - from.delivered);
  const framesPerWrite = (to.delivered - from.delivered) / (to.writes - from.writes);
  await Promise.all([clients.end(), gateway.end()]);
  return { connectMs, idleKb, deliveryUs, framesPerWrite };
}
