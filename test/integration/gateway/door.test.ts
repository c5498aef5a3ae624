// Who is let in: tickets, origins, room.

import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { TicketKey } from '../../../src/daemon/ticket-key.ts';
import type { GatewayConfig } from '../../../src/gateway/config/gateway-options.ts';
import { encodeTicket } from '../../../src/protocol/ticket.ts';
import type { LaunchedGateway } from '../../launch/gateway.ts';
import { gatewayForTest, launchGateway, TestClient } from '../../launch/gateway.ts';

const SECRET = 'a secret for the test only';
const OLD_SECRET = 'the secret of yesterday';
const launch = (config: Partial<GatewayConfig> = {}): Promise<LaunchedGateway> =>
  gatewayForTest({ id: 'gw-1', secret: SECRET, ...config });

function ticket(secret: string, gateway: string, seq: number): string {
  const claims = { heraldId: 'herald-1', seq, issuedMs: 1_000 };
  const key = new TicketKey(deriveKey(secret, 'ticket', gateway), claims.heraldId);
  return encodeTicket({ ...claims, mac: key.signOne(seq, claims.issuedMs) });
}

const counted = ({ metrics }: LaunchedGateway): Record<string, number> =>
  Object.fromEntries(
    metrics
      .counters()
      .filter(({ name }) => name === 'gateway.accepted')
      .map(({ tags, total }) => [tags['ticket'] ?? '', total] as const),
  );

it('counts tickets and lets everyone in where they are hints', async () => {
  const launched = await launch({ previousSecret: OLD_SECRET });
  const { url } = launched;
  const protocol = (text: string): { protocols: string[] } => ({ protocols: [`herald.ticket.${text}`] });
  await TestClient.connect(url, protocol(ticket(SECRET, 'gw-1', 1)));
  await TestClient.connect(url, protocol(ticket(SECRET, 'gw-1', 1)));
  await TestClient.connect(url, protocol(ticket(OLD_SECRET, 'gw-1', 2)));
  await TestClient.connect(url, protocol(ticket(SECRET, 'gw-2', 3)));
  await TestClient.connect(url, protocol('t1.nonsense'));
  await TestClient.connect(url, { headers: { authorization: `Bearer ${ticket(SECRET, 'gw-1', 4)}` } });
  await TestClient.connect(url, { token: ticket(SECRET, 'gw-1', 5) });
  await TestClient.connect(url);
  expect(counted(launched)).toEqual({ fresh: 4, used: 1, forged: 1, malformed: 1, none: 1 });
});

it('closes with 4203 without a good ticket where they are required', async () => {
  const { url } = await launch({ tickets: 'required' });
  const client = new TestClient(url);
  client.ws.on('open', () => client.send({ op: 'hello', v: 1 }));
  expect((await client.closing()).code).toBe(4203);
});

it('does not start with required tickets and no secret', async () => {
  await expect(launchGateway({ tickets: 'required' })).rejects.toThrow('--secret');
});

it('refuses pages of other origins before the upgrade', async () => {
  const { url } = await launch({ origins: ['https://app.example.com'] });
  const good = await TestClient.connect(url, { headers: { origin: 'https://app.example.com' } });
  expect(good.closed).toBeUndefined();
  const page = new TestClient(url, { headers: { origin: 'https://evil.example.com' } });
  const status = new Promise((resolve) => {
    page.ws.on('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
  expect(await status).toBe(403);
});

it('refuses with 503 what is above its room', async () => {
  const { url } = await launch({ maxConnections: 1 });
  await TestClient.connect(url);
  const second = new TestClient(url);
  const answer = new Promise<[unknown, unknown]>((resolve) => {
    second.ws.on('unexpected-response', (_request, response) =>
      resolve([response.statusCode, response.headers['retry-after']]),
    );
  });
  expect(await answer).toEqual([503, '1']);
});

it('answers who offers HTTP/2 with a request over HTTP/1.1, and closes', async () => {
  const { port } = await launch();
  const ask = async (path: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`,
    );
    return text(socket);
  };
  expect(await ask('/livez')).toMatch(/^HTTP\/1.1 200 OK[^]*"live":true/);
  expect(await ask('/nowhere')).toMatch(/^HTTP\/1.1 404 /);
});

it('cuts who sends a thousand requests at once', async () => {
  const { port } = await launch();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
  let answers = '';
  socket.on('data', (chunk: Buffer) => (answers += chunk.toString()));
  await once(socket, 'close');
  expect(answers.split('HTTP/1.1 200').length - 1).toBeLessThanOrEqual(100);
});
