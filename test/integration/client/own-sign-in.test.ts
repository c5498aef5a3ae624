// An application that lets in who has signed in there, as docs/applications.md says: its server asks Herald on their
// behalf, and gateways take nobody without a ticket.

import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../../src/client/index.ts';
import type { Client } from '../../../src/client/index.ts';
import type { HttpServer } from '../../launch/http-server.ts';
import { httpServer } from '../../launch/http-server.ts';
import type { SmallFleet } from '../../launch/small-fleet.ts';
import { launchSmallFleet } from '../../launch/small-fleet.ts';
import { until } from '../../launch/until.ts';

const SECRET = { secret: 'a secret of at least sixteen' };
const COOKIE = 'session=ours';
let fleet: SmallFleet;
let app: HttpServer;

beforeAll(async () => {
  fleet = await launchSmallFleet(1, {
    herald: SECRET,
    gateway: { ...SECRET, tickets: 'required' },
    broker: SECRET,
  });
  app = await httpServer((request, response) => {
    if (request.headers.cookie !== COOKIE) {
      response.writeHead(401).end();
      return;
    }
    void fetch(fleet.url + request.url!.replace('/herald', '')).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! });
      response.end(await answer.text());
    });
  });
});
afterAll(async () => {
  await app.close();
  await fleet.close();
});

function clientWith(cookie: string): Client {
  return connect({
    herald: `${app.url}/herald`,
    topics: ['news'],
    webSocket: WebSocket,
    fetch: (url, init) => fetch(url, { ...init, headers: { cookie } }),
  });
}

it('lets in who has signed in', async () => {
  const client = clientWith(COOKIE);
  const heard: unknown[] = [];
  client.on('message', ({ data }) => heard.push(data));
  await until('it to be live', () => client.state.name === 'live');
  await fleet.publisher.publish('news', 1);
  await until('the message', () => heard.length === 1);
  client.close();
});

it('names no gateway to who has not, and no gateway takes him', async () => {
  const client = clientWith('');
  await until('it to wait', () => client.state.name === 'waiting');
  expect(client.state).toMatchObject({ why: expect.stringContaining('status 401') });
  client.close();
  const socket = new WebSocket(fleet.gateways[0]!.url, 'herald.v1.json');
  socket.on('open', () => socket.send('{"op":"hello","v":1}'));
  const [code] = (await once(socket, 'close')) as [number];
  expect(code).toBe(4203);
});
