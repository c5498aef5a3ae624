// What a client has sent of a message that it does not finish, as the socket of the gateway tells it.

import { constants, deflateRawSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../src/daemon/log.ts';
import type { ClientSocket } from '../../../src/gateway/clients/client-socket.ts';
import { Connection } from '../../../src/gateway/clients/connection.ts';
import { bindWsServer } from '../../../src/gateway/clients/ws-server.ts';
import { rawFrame, RawClient } from '../../launch/raw-ws.ts';
import { until } from '../../launch/until.ts';
import { smallGateway } from '../../unit/gateway/small-gateway.ts';

async function oneClient(deflate = false) {
  const server = await bindWsServer({
    address: { host: '127.0.0.1', port: 0 },
    maxFrameBytes: 65_536,
    deflate,
    maxSockets: 10,
    certificate: undefined,
    log: silentLog,
  });
  onTestFinished(() => server.close());
  const { parts } = smallGateway();
  let ws: ClientSocket | undefined;
  const messages: string[] = [];
  let heard = 0;
  server.serve({
    refuse: () => undefined,
    open: (made, socket) => {
      ws = made;
      return new Connection(parts, made, socket, 'c', undefined);
    },
    message: (_connection, text) => messages.push(text),
    control: () => (heard += 1),
    closed: (connection) => connection.keeps(0),
    answer: () => {
      throw new Error('nobody asks over HTTP');
    },
  });
  const offered = deflate ? ['Sec-WebSocket-Extensions: permessage-deflate'] : [];
  const client = await RawClient.open(Number(server.address.split(':').at(-1)), offered);
  onTestFinished(() => client.destroy());
  return { parts, client, ws: ws!, messages, heard: () => heard };
}

it('counts all that a tiny fragment keeps alive, until its message is whole', async () => {
  const { parts, client, ws, messages, heard } = await oneClient();
  const pong = rawFrame({ opcode: 10, payload: 'x'.repeat(125) });
  let sent = 0;
  for (let i = 1; i <= 20; i++) {
    const fragment = rawFrame({ opcode: i === 1 ? 1 : 0, fin: false, payload: 'x' });
    const chunk = Buffer.concat([fragment, ...Array.from({ length: 10 }, () => pong)]);
    client.socket.write(chunk);
    sent += chunk.length;
    await until('it to be read', () => heard() === 10 * i);
  }
  // And what a buffer and a fragment are themselves.
  expect(ws.unfinishedBytes).toBeGreaterThan(sent + 20 * 400);
  expect(ws.unfinishedBytes).toBeLessThan(sent + 20 * 1_000);
  expect(parts.unfinishedBytes).toBe(ws.unfinishedBytes);
  client.socket.write(rawFrame({ opcode: 0, payload: 'y' }));
  await until('the message', () => messages.length === 1);
  expect([ws.unfinishedBytes, parts.unfinishedBytes]).toEqual([0, 0]);
});

it('counts what was inflated', async () => {
  const { client, ws } = await oneClient(true);
  const squeezed = deflateRawSync('x'.repeat(50_000), { finishFlush: constants.Z_SYNC_FLUSH });
  client.send({ opcode: 1, rsv: 4, fin: false, payload: squeezed });
  await until('it to be inflated', () => ws.unfinishedBytes > 50_000);
});

it('counts nothing of what was whole before, and nothing of a client that has gone', async () => {
  const { parts, client, ws, heard } = await oneClient();
  const ping = rawFrame({ opcode: 9, payload: 'x'.repeat(100) });
  // Each chunk ends within a frame.
  client.socket.write(ping.subarray(0, 50));
  for (let i = 1; i <= 20; i++) {
    client.socket.write(Buffer.concat([ping.subarray(50), ping.subarray(0, 50)]));
    await until('it to be read', () => heard() === i);
  }
  expect(ws.unfinishedBytes).toBeGreaterThan(50);
  expect(ws.unfinishedBytes).toBeLessThan(1_000);
  client.destroy();
  await until('its end', () => parts.unfinishedBytes === 0);
});
