// Daemons that may have few descriptors, and strangers who want more of them than there are.

import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import { ANY_PORT, HERALD_ON_ANY_PORTS, startHeraldProcess } from '../../launch/herald-process.ts';
import { RawClient } from '../../launch/raw-ws.ts';
import { until } from '../../launch/until.ts';

const OPEN_FILES = 256;
const running: HeraldProcess[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const one of running.splice(0)) await one.stop();
});

async function start(command: string, flags: Record<string, string | number>): Promise<HeraldProcess> {
  const one = await startHeraldProcess(command, flags, {}, OPEN_FILES);
  running.push(one);
  return one;
}

const descriptors = ({ pid }: HeraldProcess): number => readdirSync(`/proc/${pid}/fd`).length;
// A fetch whose connections are closed as they come may wait for ever.
const status = async (url: string): Promise<number> =>
  (await fetch(url, { signal: AbortSignal.timeout(1_000) })).status;

it.each(['serve', 'gateway', 'broker'])('%s says in one line that 64 are too few', async (command) => {
  const started = startHeraldProcess(command, {}, {}, 64);
  await expect(started).rejects.toThrow(/ended at its start:\nherald: 64 open files are too few.*\n$/);
});

it('a gateway fills up below its limit: it answers, refuses with 503, and is free again', async () => {
  const gateway = await start('gateway', { listen: ANY_PORT });
  const port = Number(new URL(gateway.addresses['ws']!).port);
  expect(gateway.output()).toContain('few-descriptors');
  const clients: RawClient[] = [];
  let last: RawClient;
  do {
    last = await RawClient.open(port);
    sockets.push(last.socket);
    clients.push(last);
  } while (last.status === 101);
  expect(last.status).toBe(503);
  // Connections that say nothing take what is left for handshakes, and no more.
  for (let i = 0; i < OPEN_FILES; i++) {
    const mute = connect(port, '127.0.0.1');
    mute.on('error', () => {});
    sockets.push(mute);
  }
  await until('the mute ones to be let go', async () => {
    expect(descriptors(gateway)).toBeLessThan(OPEN_FILES - 64);
    return (await status(`http://127.0.0.1:${port}/livez`)) === 200;
  });
  for (const one of clients) one.destroy();
  await until('their places', async () => {
    const next = await RawClient.open(port);
    sockets.push(next.socket);
    return next.status === 101;
  });
});

it('a Herald whose public port is full hears its gateways and its operators', async () => {
  const herald = await start('serve', HERALD_ON_ANY_PORTS);
  const { public: publicUrl, control, admin } = herald.addresses;
  const url = new URL(publicUrl!);
  let refused = 0;
  for (let i = 0; i < OPEN_FILES; i++) {
    const asker = connect(Number(url.port), url.hostname);
    asker.on('error', () => {});
    asker.on('close', () => (refused += 1));
    asker.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
    sockets.push(asker);
  }
  await until('some to be refused', () => refused > OPEN_FILES / 2);
  expect(descriptors(herald)).toBeLessThan(OPEN_FILES - 64);
  expect(await status(`${control}/v1/brokers`)).toBe(200);
  expect(await status(`${admin}/v1/table`)).toBe(200);
});

it('a Herald whose control port is full says so: in its log, at /readyz, and to the gateway that comes', async () => {
  const herald = await start('serve', HERALD_ON_ANY_PORTS);
  const { public: publicUrl, control } = herald.addresses;
  const url = new URL(control!);
  const come = (): void => {
    const one = connect(Number(url.port), url.hostname);
    one.on('error', () => {});
    // Who asked something may stay as long as a gateway does.
    one.write('GET /v1/brokers HTTP/1.1\r\nHost: x\r\n\r\n');
    sockets.push(one);
  };
  await until('the port to be full', async () => {
    for (let i = 0; i < 10; i++) come();
    return herald.output().includes('control-port-full');
  });
  const ready = (await (await fetch(`${publicUrl}/readyz`)).json()) as { degraded: string[] };
  expect(ready.degraded).toEqual([expect.stringMatching(/^control port: \d+ of \d+ connections are taken$/)]);
  const gateway = await start('gateway', { listen: ANY_PORT, heralds: control! });
  const told = /"status":503.*all \d+ connections of the control port are taken.*"herald-unreachable"/;
  await until('the gateway to say so', () => told.test(gateway.output()));
  for (const socket of sockets) socket.destroy();
  await until('the gateway to be heard', () => gateway.output().includes('herald-reachable'), 20_000);
  expect(herald.output().match(/control-port-full/g)).toHaveLength(1);
});

it('a broker whose publishers take nearly all says so, in its log and at /readyz, until they are gone', async () => {
  const listens = { 'publish-listen': ANY_PORT, 'subscribe-listen': ANY_PORT, 'repair-listen': ANY_PORT };
  const broker = await start('broker', { ...listens, 'http-listen': ANY_PORT });
  const { publish, http } = broker.addresses;
  const room = OPEN_FILES - descriptors(broker) - 16;
  for (let i = 0; i < room; i++) {
    const one = connect(Number(new URL(publish!).port), '127.0.0.1');
    one.on('error', () => {});
    sockets.push(one);
  }
  await until('the broker to say so', () => broker.output().includes('descriptors-nearly-gone'));
  expect(await (await fetch(`${http}/readyz`)).json()).toEqual({
    ready: true,
    degraded: [expect.stringMatching(/^\d+ of 256 file descriptors are open; raise LimitNOFILE$/)],
  });
  for (const socket of sockets) socket.destroy();
  await until('it to be over', () => broker.output().includes('descriptors-free-again'));
  expect(await (await fetch(`${http}/readyz`)).json()).toEqual({ ready: true });
  expect(broker.output().match(/descriptors-nearly-gone/g)).toHaveLength(1);
});
