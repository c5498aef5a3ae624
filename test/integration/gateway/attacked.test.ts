// The built gateway as a process of its own, and what attackers, half-dead clients and a pause do to it. What it
// costs is read from the kernel: peak memory of that process alone, and its open descriptors.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../../src/sim/chance.ts';
import { TestClient } from '../../launch/gateway.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { ANY_PORT, startHeraldProcess } from '../../launch/herald-process.ts';
import { inPieces, randomFrame } from '../../launch/random-frames.ts';
import { rawFrame, RawClient } from '../../launch/raw-ws.ts';
import { pause, until } from '../../launch/until.ts';

const PING_MS = 1_000;
const HELLO_MS = 2_000;
const DEFLATE = ['Sec-WebSocket-Extensions: permessage-deflate'];
let gateway: HeraldProcess;
let port: number;
let url: string;

beforeAll(async () => {
  gateway = await startHeraldProcess('gateway', {
    listen: ANY_PORT,
    'ping-ms': PING_MS,
    'hello-timeout-ms': HELLO_MS,
    'shutdown-spread-ms': 0,
  });
  url = gateway.addresses['ws']!;
  port = Number(new URL(url).port);
});
afterAll(() => gateway.stop());

/** In MB: VmRSS now, or VmHWM, the most since `forgetPeak`. */
function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1_024;
}
const forgetPeak = (): void => writeFileSync(`/proc/${gateway.pid}/clear_refs`, '5');
const descriptors = (): number => readdirSync(`/proc/${gateway.pid}/fd`).length;

interface Closes {
  byCause: Record<string, number>;
  closes: { cause: string; code: number; livedMs: number }[];
}
const closes = async (): Promise<Closes> =>
  (await fetch(`http://127.0.0.1:${port}/v1/closes`)).json() as Promise<Closes>;
const livez = async (): Promise<number> => {
  const startedMs = performance.now();
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  return performance.now() - startedMs;
};

/** Upgraded and greeted, answering pings until told not to. */
async function client(headers: readonly string[] = []): Promise<RawClient> {
  const made = await RawClient.open(port, headers);
  made.sendText({ op: 'hello', v: 1, caps: ['gap', 'move'] });
  await made.until(() => made.texts.length > 0);
  return made;
}

function mute(bytes = ''): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  if (bytes !== '') socket.write(bytes);
  return socket;
}

it('closes 50 deflate bombs with 1009 and grows by less than 20 MB', async () => {
  const bomb = deflateRawSync(Buffer.alloc(60_000_000, 'x'), { finishFlush: 2 }).subarray(0, -4);
  expect(bomb.length).toBeLessThan(65_536);
  // One before, so that code that is loaded on first use is not taken for the cost of a bomb.
  const first = await client(DEFLATE);
  first.send({ opcode: 1, rsv: 4, payload: bomb });
  expect(await first.closing()).toBe(1009);
  const clients: RawClient[] = [];
  for (let i = 0; i < 50; i++) clients.push(await client(DEFLATE));
  forgetPeak();
  const before = memory('VmRSS');
  for (const one of clients) one.send({ opcode: 1, rsv: 4, payload: bomb });
  const codes = await Promise.all(clients.map((one) => one.closing(30_000)));
  expect(codes).toEqual(clients.map(() => 1009));
  expect(memory('VmHWM') - before).toBeLessThan(20);
  for (const one of clients) one.destroy();
  await until('the audit to name them', async () => (await closes()).byCause['ws-1009'] === 51);
});

it('lets go of connections that are silent, half said or half open, and answers others meanwhile', async () => {
  const before = descriptors();
  const half = 'GET /ws HTTP/1.1\r\nHost: x\r\nUpgr';
  const body = 'POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx';
  const sockets = Array.from({ length: 600 }, (_, i) => mute(['', half, body][i % 3]));
  // A header that grows by a byte now and then never gets longer than its deadline.
  const drip = sockets.filter((_, i) => i % 3 === 1);
  const timer = setInterval(() => {
    for (const socket of drip) socket.write('a');
  }, 200);
  let slowestMs = 0;
  try {
    await until('all to be there', () => descriptors() >= before + 300);
    await until(
      'all to be gone',
      async () => {
        slowestMs = Math.max(slowestMs, await livez());
        return descriptors() < before + 20;
      },
      20_000,
    );
  } finally {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  }
  expect(slowestMs).toBeLessThan(2_000);
});

it('closes who upgrades and then says nothing, also when the close is never answered', async () => {
  const before = descriptors();
  const silent = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)));
  for (const one of silent) one.socket.pause();
  await until('50 more', async () => ((await closes()).byCause['hello-timeout'] ?? 0) >= 50, 20_000);
  await until('their descriptors back', () => descriptors() < before + 20, 20_000);
  for (const one of silent) one.destroy();
});

it('does not hold a pause of its own against its clients', async () => {
  const patient = await client();
  const answer = setInterval(() => {
    // Only answers: a pong for each ping, as a plain client does.
    const pings = patient.texts.filter((text) => text.includes('"ping"')).length;
    for (; answered < pings; answered++) patient.sendText({ op: 'pong' });
  }, 20);
  let answered = 0;
  const greeting = await RawClient.open(port);
  try {
    await until('a first ping', () => answered > 0);
    gateway.signal('SIGSTOP');
    // Longer than two ping periods and the time for hello together.
    await pause(2 * PING_MS + HELLO_MS + 500);
    greeting.sendText({ op: 'hello', v: 1 });
    gateway.signal('SIGCONT');
    await greeting.until(() => greeting.texts.some((text) => text.includes('"welcome"')));
    const seen = answered;
    await until('pings again', () => answered > seen + 2);
    expect(patient.closeCode).toBeUndefined();
  } finally {
    gateway.signal('SIGCONT');
    clearInterval(answer);
    patient.destroy();
    greeting.destroy();
  }
});

it('gives up a client that is frozen, within the time a close may take', async () => {
  const before = descriptors();
  const frozen = await Promise.all(Array.from({ length: 20 }, () => client()));
  for (const one of frozen) one.socket.pause();
  const startedMs = performance.now();
  await until(
    'the audit to name them',
    async () => ((await closes()).byCause['pong-timeout'] ?? 0) >= 20,
    20_000,
  );
  expect(performance.now() - startedMs).toBeGreaterThan(PING_MS);
  await until('their descriptors back', () => descriptors() < before + 5);
  for (const one of frozen) one.destroy();
});

it('answers floods with the code that says so, and others go on', async () => {
  const flooders = await Promise.all(Array.from({ length: 20 }, () => client()));
  const kinds = [
    (one: RawClient) => one.sendText({ op: 'ping' }),
    (one: RawClient) => one.send({ opcode: 9, payload: 'x' }),
    (one: RawClient, n: number) => one.sendText({ op: 'sub', id: n, c: [`flood.${n}`] }),
    (one: RawClient, n: number) => one.sendText({ op: 'pub', id: n, c: 'flood', d: 'x'.repeat(1_000) }),
  ];
  for (const [i, one] of flooders.entries()) for (let n = 0; n < 500; n++) kinds[i % 4]!(one, n);
  const good = await TestClient.connect(url);
  good.send({ op: 'ping' });
  await good.next('pong');
  good.drop();
  const codes = await Promise.all(flooders.map((one) => one.closing(20_000)));
  expect(codes).toEqual(flooders.map(() => 4103));
});

it('bounds what all clients together send and do not finish', async () => {
  const large = await startHeraldProcess('gateway', {
    listen: ANY_PORT,
    'max-frame-bytes': 16_777_216,
    'shutdown-spread-ms': 0,
  });
  onTestFinished(() => large.stop());
  const { port: at } = new URL(large.addresses['ws']!);
  // 300 MB: in one frame that is cut short, in fragments, and in fragments that say so in a thousandth of the bytes.
  const bytes = Buffer.alloc(15_000_000, 'x');
  const squeezed = deflateRawSync(bytes, { finishFlush: 2 }).subarray(0, -4);
  const starts = [
    rawFrame({ opcode: 1, payload: bytes, claimedLength: 16_000_000n }),
    rawFrame({ opcode: 1, payload: bytes, fin: false }),
    rawFrame({ opcode: 1, payload: squeezed, fin: false, rsv: 4 }),
  ];
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.open(Number(at), DEFLATE)));
  for (const one of clients) one.sendText({ op: 'hello', v: 1 });
  for (const [i, one] of clients.entries()) one.socket.write(starts[i % 3]!);
  const closed = (): RawClient[] => clients.filter(({ closeCode }) => closeCode === 4103);
  await until('some to be closed', () => closed().length >= 4, 20_000);
  await until('their lines to be cut', () => closed().every(({ ended }) => ended));
  expect(closed().length).toBeLessThan(8);
  expect(clients.filter(({ ended }) => ended)).toEqual(closed());
  for (const one of clients) one.destroy();
});

it('does not read on from who floods on after the close', async () => {
  const flooder = await client();
  const flood = Buffer.concat(Array.from({ length: 2_000 }, () => rawFrame({ opcode: 1, payload: 'x' })));
  let written = 0;
  const pump = (): void => {
    do written += 1;
    while (flooder.socket.write(flood));
  };
  flooder.socket.on('drain', pump);
  pump();
  expect(await flooder.closing()).toBe(4000);
  // What the kernels hold between the two of them, and no more until the line is cut.
  const standsStill = async (): Promise<boolean> => {
    const before = written;
    await pause(500);
    return before === written && !flooder.ended;
  };
  await until('nothing to be taken any more', standsStill, 4_000);
  flooder.destroy();
});

const FUZZ_MS = 3_000;
const FUZZ_SEED = Number(process.env['FUZZ_SEED'] ?? 20_180_119);
const FUZZ_AT_ONCE = 32;

it(`lives through ${FUZZ_MS / 1_000} s of random frames from ${FUZZ_AT_ONCE} sockets, and keeps nothing of them`, async () => {
  const before = descriptors();
  const known = new Set(Object.keys((await closes()).byCause));
  forgetPeak();
  const grownFrom = memory('VmRSS');
  const endMs = performance.now() + FUZZ_MS;
  let connections = 0;
  let written = 0;
  const attack = async (seed: number): Promise<void> => {
    const random = seededRandom(seed);
    while (performance.now() < endMs) {
      connections += 1;
      const raw = await RawClient.open(port, random() < 0.5 ? DEFLATE : []);
      if (random() < 0.8) raw.sendText({ op: 'hello', v: 1, caps: ['gap', 'move'] });
      const frames = 1 + Math.floor(random() * 30);
      for (let i = 0; i < frames && !raw.ended; i++) {
        written += 1;
        for (const piece of inPieces(random, randomFrame(random))) raw.socket.write(piece);
        if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
      }
      // Some leave in the middle, some say so, some wait to be shown out.
      if (random() < 0.3) raw.socket.end();
      else if (random() < 0.5) await raw.until(() => raw.ended, 200).catch(() => {});
      raw.destroy();
    }
  };
  await Promise.all(Array.from({ length: FUZZ_AT_ONCE }, (_, i) => attack(FUZZ_SEED + i)));
  expect(connections).toBeGreaterThan(FUZZ_AT_ONCE);
  expect(written).toBeGreaterThan(500);
  const good = await TestClient.connect(url);
  await good.subscribe('calm');
  good.send({ op: 'ping' });
  await good.next('pong');
  good.drop();
  await until('their descriptors back', () => descriptors() <= before + 2, 20_000);
  const { byCause } = await closes();
  expect(byCause['internal'] ?? 0, `seed ${FUZZ_SEED}`).toBe(0);
  // It was more than one way to be thrown out.
  expect(
    Object.keys(byCause).filter((cause) => !known.has(cause) || cause.startsWith('ws-')).length,
  ).toBeGreaterThan(2);
  expect(memory('VmHWM') - grownFrom).toBeLessThan(100);
}, 60_000);
