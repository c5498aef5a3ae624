import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { WebSocketServer } from 'ws';
import WebSocket, { WebSocketServer as Server } from 'ws';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report } from './one-herald.ts';

let herald: OneHerald;
beforeEach(async () => {
  herald = await oneHerald();
});
afterEach(() => herald.close());

const HANDSHAKE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** The raw answer to a hand-written request, until Herald closes or the head is complete. */
async function raw(
  request: string,
): Promise<{ status: number; location: string; head: string; closed: boolean }> {
  const { port } = new URL(herald.addresses.public);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(request);
  let head = '';
  let closed = false;
  socket.on('end', () => (closed = true));
  socket.on('data', (bytes) => (head += bytes.toString('latin1')));
  await expect.poll(() => head.includes('\r\n\r\n'), { timeout: 3_000 }).toBe(true);
  if (/connection: close/i.test(head)) await expect.poll(() => closed, { timeout: 3_000 }).toBe(true);
  socket.destroy();
  return {
    status: Number(head.split(' ')[1]),
    location: /^location: (.*)\r$/im.exec(head)?.[1] ?? '',
    head,
    closed,
  };
}

// Who follows what is measured in docs/lookup.md; the user agents are theirs.
const CLIENTS: [string, string, string][] = [
  ['Python websockets', 'User-Agent: Python/3.11 websockets/12.0\r\n', 'wss'],
  ['websocket-client, npm ws (no user agent)', '', 'wss'],
  ['aiohttp', 'User-Agent: Python/3.11 aiohttp/3.9.1\r\n', 'https'],
  ['OkHttp', 'User-Agent: okhttp/4.12.0\r\n', 'https'],
  ['nhooyr', 'User-Agent: Go-http-client/1.1\r\n', 'https'],
];

test.each(CLIENTS)('a handshake of %s gets a Location it follows', async (_name, userAgent, scheme) => {
  await feed(herald, report('gw-1', { url: 'wss://gw-1.example:7410/ws?a=1' }));
  const answer = await raw(
    `GET /v1/connect?token=secret HTTP/1.1\r\nHost: x\r\n${userAgent}${HANDSHAKE}\r\n`,
  );
  expect(answer).toMatchObject({
    status: 302,
    location: `${scheme}://gw-1.example:7410/ws?a=1`,
    closed: true,
  });
  expect(answer.head).not.toContain('secret');
});

test('a plain GET gets a Location that an HTTP client can follow', async () => {
  await feed(herald, report('gw-1'));
  const { status, headers } = await ask(`${herald.addresses.public}/v1/connect`);
  expect(status).toBe(302);
  expect(headers.get('location')).toBe('http://127.0.0.1:7410/gw-1');
  expect(headers.get('cache-control')).toBe('no-store');
});

test('?location= wins over what is known of the client', async () => {
  await feed(herald, report('gw-1', { url: 'wss://gw-1.example/ws' }));
  const wanted = await ask(`${herald.addresses.public}/v1/connect?location=ws`);
  expect(wanted.headers.get('location')).toBe('wss://gw-1.example/ws');
  const http = await raw(`GET /v1/connect?location=http HTTP/1.1\r\nHost: x\r\n${HANDSHAKE}\r\n`);
  expect(http.location).toBe('https://gw-1.example/ws');
});

test('a handshake without a gateway gets a 503 with Retry-After, and the socket ends', async () => {
  const answer = await raw(`GET /v1/connect HTTP/1.1\r\nHost: x\r\n${HANDSHAKE}\r\n`);
  expect(answer).toMatchObject({ status: 503, closed: true });
  expect(answer.head).toMatch(/retry-after: \d+/i);
});

test('bytes sent right behind the handshake do no harm', async () => {
  await feed(herald, report('gw-1'));
  const answer = await raw(`GET /v1/connect HTTP/1.1\r\nHost: x\r\n${HANDSHAKE}\r\n\x81\x85abcdefgh`);
  expect(answer.status).toBe(302);
  expect((await ask(`${herald.addresses.public}/livez`)).status).toBe(200);
});

test.each(['ws', 'http'])(
  'npm ws follows the redirect to a real gateway with location=%s',
  async (location) => {
    const gateway: WebSocketServer = new Server({ port: 0, host: '127.0.0.1', path: '/ws' });
    await once(gateway, 'listening');
    gateway.on('connection', (socket) => socket.send('hello'));
    const { port } = gateway.address() as AddressInfo;
    await feed(herald, report('gw-1', { url: `ws://127.0.0.1:${port}/ws` }));
    const at = `${herald.addresses.public.replace('http', 'ws')}/v1/connect?location=${location}`;
    const client = new WebSocket(at, { followRedirects: true });
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('hello');
    client.close();
    gateway.close();
  },
);
