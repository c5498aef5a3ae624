// What a daemon says to bytes that are no request: in the form and with the codes of all its refusals.
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchGateway } from '../../launch/gateway.ts';
import { broker } from '../broker/rig.ts';
import { oneHerald } from '../herald/one-herald.ts';

const PORTS = [
  'the public port of a Herald',
  'the control port of a Herald',
  'the HTTP port of a broker',
  'the port of a gateway',
] as const;

let urls: Record<(typeof PORTS)[number], string>;
let close: () => Promise<unknown>;
beforeAll(async () => {
  const [herald, aBroker, { gateway }] = await Promise.all([oneHerald(), broker('b1'), launchGateway()]);
  urls = {
    'the public port of a Herald': herald.addresses.public,
    'the control port of a Herald': herald.addresses.control,
    'the HTTP port of a broker': aBroker.addresses.http,
    'the port of a gateway': gateway.addresses.http,
  };
  close = () => Promise.all([herald, aBroker, gateway].map((one) => one.close()));
});
afterAll(() => close());

async function answerTo(url: string, bytes: string): Promise<{ head: string; body: unknown }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(/^content-length: /im);
  return { head, body: JSON.parse(body) as unknown };
}

describe.concurrent.each(PORTS)('%s', (port) => {
  it.each([
    [400, 'bad-request', 'nonsense\r\n\r\n'],
    [400, 'bad-request', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n'],
    [400, 'bad-request', 'GET /livez HTTP/1.1\r\n\r\n'],
    [417, 'expectation-failed', 'GET /livez HTTP/1.1\r\nHost: x\r\nExpect: the-best\r\n\r\n'],
    [408, 'request-timeout', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    [431, 'headers-too-large', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
  ])('answers %i %s', async (status, code, bytes) => {
    const { head, body } = await answerTo(urls[port], bytes);
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(body).toMatchObject({ status, code, detail: expect.any(String) as string });
  });
});

it('a broker says of a path that makes no sense what a Herald says', async () => {
  const bytes = 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  for (const port of PORTS.slice(0, 3)) {
    expect((await answerTo(urls[port], bytes)).body).toMatchObject({ status: 400, code: 'bad-url' });
  }
});

it('a gateway refuses an upgrade in the same form', async () => {
  const bytes = 'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const { head, body } = await answerTo(urls['the port of a gateway'], bytes);
  expect(head).toMatch(/^content-type: application\/problem\+json/im);
  expect(body).toMatchObject({ status: 404, code: 'no-such-route', detail: 'WebSocket is on /ws' });
});

it('a gateway says what is wrong with a handshake in the same form', async () => {
  const url = urls['the port of a gateway'];
  const handshake = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  const protocol = 'Sec-WebSocket-Protocol: herald.v1.json';
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  const wrong = [
    [[protocol, 'Sec-WebSocket-Version: 13'], /-Key/],
    [[protocol, key, 'Sec-WebSocket-Version: 7'], /-Version/],
  ] as const;
  for (const [lines, detail] of wrong) {
    const bytes = [`GET /ws HTTP/1.1`, ...handshake, ...lines, '', ''].join('\r\n');
    const { head, body } = await answerTo(url, bytes);
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(head).toMatch(/^sec-websocket-version: 13, 8/im);
    expect(body).toMatchObject({
      status: 400,
      code: 'bad-request',
      detail: expect.stringMatching(detail) as string,
    });
  }
  const posted = ['POST /ws HTTP/1.1', ...handshake, protocol, key, 'Content-Length: 0', '', ''].join('\r\n');
  const { body } = await answerTo(url, posted);
  expect(body).toMatchObject({ status: 405, code: 'method-not-allowed' });
});
