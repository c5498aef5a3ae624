// Messages a second and CPU per message from a publisher through a broker to a gateway's link, each a
// process of its own, beside bare ZeroMQ in the same run. The machine drifts: compare within a run.
//
//   node scripts/run-ts.mjs bench/broker.ts [--messages 200000] [--bytes 512]

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { createPublisher } from '../src/publisher/index.ts';
import type { BrokerAddress } from '../src/protocol/broker-address.ts';
import { cpuMs } from './role/answer-lines.ts';
import { Role } from './role/role.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    bytes: { type: 'string', default: '512' },
    repeats: { type: 'string', default: '3' },
  },
});
const MESSAGES = Number(values.messages);
const BYTES = Number(values.bytes);
const REPEATS = Number(values.repeats);
const TOPICS = Array.from({ length: 350 }, (_, i) => `bench.${i}`);
const OUTSTANDING = 4_000;
const DEADLINE_MS = 120_000;

const role = (name: string, argument?: unknown): Role =>
  Role.node(`broker-roles/${name}`, undefined, 0, argument);

interface Row {
  what: string;
  perSec: number;
  senderUs: number;
  brokerUs: number;
  receiverUs: number;
}

async function untilReceived(receiver: Role, count: number): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const { received } = await receiver.ask<{ received: number }>('?');
    if (received >= count) return;
    if (performance.now() > endMs) throw new Error(`only ${received} of ${count} came`);
    await pause(10);
  }
}

async function floor(perMessage: number): Promise<Row> {
  const receiver = role('floor', { role: 'receive', payloadBytes: BYTES, perMessage });
  const endpoint = await receiver.next<string>();
  const sender = role('floor', { role: 'send', payloadBytes: BYTES, perMessage, endpoint });
  await sender.next();
  const [sentBefore, gotBefore] = [await sender.ask<Cpu>('cpu'), await receiver.ask<Cpu>('?')];
  const startMs = performance.now();
  await sender.ask(MESSAGES);
  await untilReceived(receiver, MESSAGES);
  const tookMs = performance.now() - startMs;
  const [sentAfter, gotAfter] = [await sender.ask<Cpu>('cpu'), await receiver.ask<Cpu>('?')];
  await sender.end('SIGKILL');
  await receiver.end('SIGKILL');
  return {
    what: `bare ZeroMQ, ${perMessage} a ZeroMQ message`,
    perSec: (MESSAGES / tookMs) * 1_000,
    senderUs: ((sentAfter.cpuMs - sentBefore.cpuMs) / MESSAGES) * 1_000,
    brokerUs: 0,
    receiverUs: ((gotAfter.cpuMs - gotBefore.cpuMs) / MESSAGES) * 1_000,
  };
}

interface Cpu {
  cpuMs: number;
}

/** `outstanding` publishes wait for their ack at any time; 1 = one frame a message on every hop. */
async function pipeline(what: string, messages: number, outstanding: number): Promise<Row> {
  const broker = role('broker');
  const address = await broker.next<BrokerAddress>();
  const receiver = role('listener', { broker: address, topics: TOPICS });
  await receiver.next();
  const publisher = await createPublisher({ brokers: [address] });
  const data = { text: 'x'.repeat(BYTES - 11) };
  await publisher.publish('warm.up', data);
  const before = [cpuMs(), (await broker.ask<Cpu>('?')).cpuMs, (await receiver.ask<Cpu>('?')).cpuMs] as const;
  const startMs = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < messages) await publisher.publish(TOPICS[next++ % TOPICS.length]!, data);
  };
  await Promise.all(Array.from({ length: outstanding }, lane));
  await untilReceived(receiver, messages);
  const tookMs = performance.now() - startMs;
  const after = [cpuMs(), (await broker.ask<Cpu>('?')).cpuMs, (await receiver.ask<Cpu>('?')).cpuMs] as const;
  await publisher.close();
  await receiver.end('SIGKILL');
  await broker.end('SIGKILL');
  const us = (i: 0 | 1 | 2): number => ((after[i] - before[i]) / messages) * 1_000;
  return { what, perSec: (messages / tookMs) * 1_000, senderUs: us(0), brokerUs: us(1), receiverUs: us(2) };
}

/** The run whose throughput is the median. */
async function median(run: () => Promise<Row>): Promise<Row> {
  const rows: Row[] = [];
  for (let i = 0; i < REPEATS; i++) rows.push(await run());
  return rows.sort((a, b) => a.perSec - b.perSec)[Math.floor(REPEATS / 2)]!;
}

const single = Math.min(MESSAGES, 10_000);
const rows = [
  await median(() => floor(1)),
  await median(() => floor(50)),
  await median(() => pipeline('publish -> broker -> link, one at a time', single, 1)),
  await median(() => pipeline('publish -> broker -> link, 64 at a time', MESSAGES / 4, 64)),
  await median(() => pipeline(`publish -> broker -> link, ${OUTSTANDING} at a time`, MESSAGES, OUTSTANDING)),
];
console.log(
  `${BYTES} B a message, ${TOPICS.length} topics, medians of ${REPEATS}; ${cpus()[0]?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}`,
);
console.log('CPU is of the whole process, ZeroMQ threads included.\n');
console.log(
  `${'road'.padEnd(48)}${'messages/s'.padStart(12)}${'sender us'.padStart(12)}${'broker us'.padStart(12)}${'receiver us'.padStart(13)}`,
);
for (const { what, perSec, senderUs, brokerUs, receiverUs } of rows) {
  const number = (value: number, width: number): string =>
    (value === 0 ? '-' : value.toFixed(1)).padStart(width);
  console.log(
    `${what.padEnd(48)}${Math.round(perSec).toLocaleString('en').padStart(12)}${number(senderUs, 12)}${number(brokerUs, 12)}${number(receiverUs, 13)}`,
  );
}
