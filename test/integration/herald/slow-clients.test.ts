import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { pause } from '../../launch/until.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report } from './one-herald.ts';

let herald: OneHerald;
afterEach(() => herald.close());

/** Opens sockets that send `first` and then one byte a second, as slowloris does. */
function slowSockets(url: string, count: number, first: string): { open: Set<Socket>; stop: () => void } {
  const open = new Set<Socket>();
  const { port } = new URL(url);
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), '127.0.0.1');
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.resume();
    socket.write(first);
  }
  const drip = setInterval(() => {
    for (const socket of open) socket.write('x');
  }, 1_000);
  return {
    open,
    stop: () => {
      clearInterval(drip);
      for (const socket of open) socket.destroy();
    },
  };
}

test('half-sent requests are gone within 6 s, and lookups go on meanwhile', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1', { periodMs: 60_000 }));
  const heads = slowSockets(herald.addresses.public, 300, 'GET /v1/lookup HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const bodies = slowSockets(
    herald.addresses.control,
    100,
    'POST /v1/feedback HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{',
  );
  const endMs = performance.now() + 7_000;
  let answered = 0;
  while (performance.now() < endMs && heads.open.size + bodies.open.size > 0) {
    expect((await ask(`${herald.addresses.public}/v1/lookup`)).status).toBe(200);
    answered += 1;
    await pause(50);
  }
  expect({ heads: heads.open.size, bodies: bodies.open.size }).toEqual({ heads: 0, bodies: 0 });
  expect(answered).toBeGreaterThan(20);
  heads.stop();
  bodies.stop();
});

test('a half-sent request does not hold up the close', async () => {
  herald = await oneHerald();
  const slow = slowSockets(herald.addresses.public, 5, 'GET /v1/lookup HTTP/1.1\r\nHost: x\r\n');
  await ask(`${herald.addresses.public}/livez`);
  const startMs = performance.now();
  await herald.close();
  expect(performance.now() - startMs).toBeLessThan(3_000);
  slow.stop();
});

test('connections above the cap are closed, those below go on', async () => {
  herald = await oneHerald({ maxPublicConnections: 20 });
  const idle = slowSockets(herald.addresses.public, 60, '');
  await expect.poll(() => idle.open.size, { timeout: 3_000 }).toBeLessThanOrEqual(20);
  idle.stop();
  await expect
    .poll(
      () =>
        ask(`${herald.addresses.public}/livez`).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 3_000 },
    )
    .toBe(200);
});
