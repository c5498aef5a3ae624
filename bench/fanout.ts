// What a delivery costs: one gateway on one core, thousands of clients on the other, beside a floor that only
// writes and the ws package's plain `send`, all in the same run. Absolute figures move with the machine; the
// ratio to the floor decides.
//
//   node scripts/run-ts.mjs bench/fanout.ts [--connections 3500] [--seconds 10] [--repeats 3] [--only name]

import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { BrokerAddress } from '../src/protocol/load-report.ts';
import { CAN_PIN, Role } from './fanout-roles/role.ts';
import type { ListenerStats, Load, ServerStats } from './fanout-roles/words.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '3500' },
    seconds: { type: 'string', default: '10' },
    repeats: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const CONNECTIONS = Number(values.connections);
const SECONDS = Number(values.seconds);
const REPEATS = Number(values.repeats);
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const SETTLE_MS = 2_000;

interface Figures {
  perSec: number;
  serverCore: number;
  usPerDelivery: number;
  framesPerWrite: number;
  p50Ms: number;
  p99Ms: number;
  clientCore: number;
  /** Frames the clients got over frames the server says it wrote. */
  arrived: number;
}

interface Scenario {
  name: string;
  deliveriesPerSec: number;
  bytes: number;
  topics?: number;
  deflate?: boolean;
  /** Through a real broker and publisher. */
  zeromq?: boolean;
  server:
    { kind: 'gateway'; flags: Record<string, unknown> } | { kind: 'floor' | 'ws'; framesPerWrite: number };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function measure(scenario: Scenario): Promise<Figures> {
  const { deliveriesPerSec, bytes, topics = 1, deflate = false, zeromq = false, server } = scenario;
  const brokerRole = zeromq ? new Role('broker-roles/broker', LOAD_CORE, null) : undefined;
  const broker = await brokerRole?.next<BrokerAddress>();
  const role =
    server.kind === 'gateway'
      ? new Role('fanout-roles/gateway', SERVER_CORE, { flags: server.flags, broker })
      : new Role('fanout-roles/plain-server', SERVER_CORE, server);
  const { port } = await role.next<{ port: number }>();
  const listener = new Role('fanout-roles/listener', LOAD_CORE, {
    port,
    connections: CONNECTIONS,
    topics,
    deflate,
    subscribe: true,
  });
  await listener.next();
  const publisher = broker ? new Role('fanout-roles/publisher', LOAD_CORE, { broker }) : undefined;
  await publisher?.next();

  const load: Load = { messagesPerSec: (deliveriesPerSec / CONNECTIONS) * topics, bytes, topics };
  await (publisher ?? role).ask({ load });
  await pause(SETTLE_MS);
  const windows: Figures[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const [before, clientBefore] = await Promise.all([
      role.ask<ServerStats>('stats'),
      listener.ask<ListenerStats>('reset'),
    ]);
    const startMs = performance.now();
    await pause(SECONDS * 1_000);
    const [after, clientAfter] = await Promise.all([
      role.ask<ServerStats>('stats'),
      listener.ask<ListenerStats>('stats'),
    ]);
    const tookMs = performance.now() - startMs;
    const delivered = after.delivered - before.delivered;
    windows.push({
      perSec: (delivered / tookMs) * 1_000,
      serverCore: (after.cpuMs - before.cpuMs) / tookMs,
      usPerDelivery: ((after.cpuMs - before.cpuMs) / delivered) * 1_000,
      framesPerWrite: delivered / (after.writes - before.writes),
      p50Ms: clientAfter.p50Ms,
      p99Ms: clientAfter.p99Ms,
      clientCore: (clientAfter.cpuMs - clientBefore.cpuMs) / tookMs,
      arrived: clientAfter.frames / delivered,
    });
  }
  for (const one of [publisher, listener, role, brokerRole]) one?.end();
  await pause(500);
  const of = (key: keyof Figures): number => median(windows.map((window) => window[key]));
  return {
    perSec: of('perSec'),
    serverCore: of('serverCore'),
    usPerDelivery: of('usPerDelivery'),
    framesPerWrite: of('framesPerWrite'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    clientCore: of('clientCore'),
    arrived: of('arrived'),
  };
}

async function idleBytes(connections: number): Promise<number> {
  const role = new Role('fanout-roles/gateway', SERVER_CORE, { flags: {} });
  const { port } = await role.next<{ port: number }>();
  const rss = async (): Promise<number> => {
    await role.ask('gc');
    await pause(1_000);
    return (await role.ask<ServerStats>('gc')).rssBytes;
  };
  const open = async (count: number): Promise<Role> => {
    const options = { port, connections: count, topics: 1, deflate: false, subscribe: true };
    const listener = new Role('fanout-roles/listener', LOAD_CORE, options);
    await listener.next();
    return listener;
  };
  // The first thousand also pay for code and for heap that is there anyway.
  const first = await open(1_000);
  const before = await rss();
  const rest = await open(connections);
  const after = await rss();
  for (const one of [first, rest, role]) one.end();
  return (after - before) / connections;
}

function print(name: string, figures: Figures): void {
  const column = (value: number, digits: number, width: number): string =>
    value.toFixed(digits).padStart(width);
  console.log(
    `${name.padEnd(44)}${Math.round(figures.perSec).toLocaleString('en').padStart(9)}` +
      column(figures.serverCore, 2, 7) +
      column(figures.usPerDelivery, 2, 8) +
      column(figures.framesPerWrite, 1, 8) +
      column(figures.p50Ms, 0, 7) +
      column(figures.p99Ms, 0, 7) +
      column(figures.clientCore, 2, 8) +
      column(figures.arrived * 100, 1, 9),
  );
}

const gateway = (flags: Record<string, unknown>): Scenario['server'] => ({ kind: 'gateway', flags });
const wanted = (name: string): boolean => name.includes(values.only);

console.log(
  `${CONNECTIONS} connections, windows of ${SECONDS} s, medians of ${REPEATS}; ${cpus()[0]?.model ?? 'unknown CPU'} x ` +
    `${cpus().length}, Node ${process.version}, load average ${loadavg()[0]!.toFixed(1)}` +
    (CAN_PIN ? `, server on core ${SERVER_CORE}, clients on core ${LOAD_CORE}` : ', not pinned: no taskset'),
);
console.log(
  `\n${'what'.padEnd(44)}${'per s'.padStart(9)}${'core'.padStart(7)}${'us each'.padStart(8)}${'fr/write'.padStart(8)}` +
    `${'p50'.padStart(7)}${'p99'.padStart(7)}${'client'.padStart(8)}${'arrived'.padStart(9)}`,
);

/** Ratios that do not depend on how fast the machine is today. */
const notes: string[] = [];

async function run(scenario: Scenario): Promise<Figures | undefined> {
  if (!wanted(scenario.name)) return undefined;
  const figures = await measure(scenario);
  print(scenario.name, figures);
  return figures;
}

const thrifty = await run({
  name: 'broadcast 512 B, thrifty (flushShare 0.4)',
  deliveriesPerSec: 200_000,
  bytes: 512,
  server: gateway({ flushShare: 0.4, maxWaitMs: 100 }),
});
await run({
  name: 'broadcast 512 B, quick (flushShare 0.65)',
  deliveriesPerSec: 200_000,
  bytes: 512,
  server: gateway({ flushShare: 0.65, maxWaitMs: 100 }),
});
await run({
  name: 'broadcast 128 B, thrifty',
  deliveriesPerSec: 200_000,
  bytes: 128,
  server: gateway({ flushShare: 0.4, maxWaitMs: 100 }),
});
await run({
  name: 'broadcast 128 B, most',
  deliveriesPerSec: 800_000,
  bytes: 128,
  server: gateway({ flushShare: 0.7, maxWaitMs: 100 }),
});
await run({
  name: 'narrow 512 B: 350 topics through ZeroMQ',
  deliveriesPerSec: 200_000,
  bytes: 512,
  topics: 350,
  zeromq: true,
  server: gateway({ flushShare: 0.4, maxWaitMs: 100 }),
});
const deflated = await run({
  name: 'broadcast 512 B, shared deflate',
  deliveriesPerSec: 200_000,
  bytes: 512,
  deflate: true,
  server: gateway({ flushShare: 0.4, maxWaitMs: 100, deflateFromBytes: 256 }),
});
if (thrifty && deflated) {
  notes.push(
    `shared deflate costs ${(deflated.usPerDelivery / thrifty.usPerDelivery).toFixed(2)} times plain`,
  );
}

const plainSend = await run({
  name: 'ws package, plain send',
  // What one core of plain sends can carry; the cost of one is what is compared.
  deliveriesPerSec: 50_000,
  bytes: 512,
  server: { kind: 'ws', framesPerWrite: 1 },
});
for (const framesPerWrite of [4, 16]) {
  const messagesPerSec = 200_000 / CONNECTIONS;
  const ours = await run({
    name: `gateway at ${framesPerWrite} frames a write`,
    deliveriesPerSec: 200_000,
    bytes: 512,
    // A tiny share makes the wait alone decide how many frames come together.
    server: gateway({
      flushShare: 0.05,
      maxWaitMs: Math.round((framesPerWrite / messagesPerSec) * 1_000) - 1,
    }),
  });
  const floor = await run({
    name: `floor at ${framesPerWrite} frames a write`,
    deliveriesPerSec: 200_000,
    bytes: 512,
    server: { kind: 'floor', framesPerWrite },
  });
  if (ours && floor) {
    notes.push(
      `${framesPerWrite} frames a write: ${(ours.usPerDelivery / floor.usPerDelivery).toFixed(2)} times the floor` +
        (plainSend
          ? `, ${(plainSend.usPerDelivery / ours.usPerDelivery).toFixed(1)} times cheaper than ws.send`
          : ''),
    );
  }
}
if (wanted('idle')) {
  notes.push(`${((await idleBytes(4_000)) / 1_024).toFixed(1)} KB of resident memory an idle connection`);
}

console.log(`\n${notes.join('\n')}`);
