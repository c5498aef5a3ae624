// The client SDK of today at a gateway of tomorrow: frames carry fields it does not know, ops it has never heard
// of stand between them, and capabilities are offered that it did not ask for. A client of yesterday at the
// gateway of today is in test/integration/gateway/capability.test.ts.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Client } from '../../../src/client/index.ts';
import { connect } from '../../../src/client/index.ts';
import type { Capability } from '../../../src/gateway/core/capabilities.ts';
import type { LaunchedGateway } from '../../launch/gateway.ts';
import { launchGateway } from '../../launch/gateway.ts';
import { httpServer } from '../../launch/http-server.ts';
import { until } from '../../launch/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Frame = Record<string, unknown> & { op: string };

/** Stands before a real gateway and makes each of its frames one of a later version. */
async function startTomorrow({ url }: LaunchedGateway): Promise<{ url: string; fromClient: Frame[] }> {
  const fromClient: Frame[] = [];
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'herald.v1.json' });
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  server.on('connection', (client) => {
    const today = new WebSocket(url, ['herald.v1.json']);
    closers.push(() => today.terminate());
    closers.push(() => client.terminate());
    // A gateway that drains refuses the next connection of the same client.
    const opened = once(today, 'open').then(
      () => true,
      () => false,
    );
    today.on('error', () => client.close(1013));
    client.on('message', (data: Buffer) => {
      fromClient.push(JSON.parse(data.toString()) as Frame);
      void opened.then((isOpen) => {
        if (isOpen) today.send(data.toString());
      });
    });
    today.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      client.send(JSON.stringify({ op: 'weather', id: 1, c: [{ c: 't' }], sky: 'clear' }));
      client.send(JSON.stringify(later(frame)));
      client.send(JSON.stringify({ op: 'hologram', v: 9 }));
    });
    today.on('close', (code) => client.close(code === 1005 || code === 1006 ? 1000 : code));
  });
  await once(server, 'listening');
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`, fromClient };
}

function later(frame: Frame): Frame {
  const newer = { ...frame, since: '2.0', trace: { id: [1, null] } };
  if (frame.op === 'welcome') {
    const max = { ...(frame['max'] as object), windows: 3 };
    return { ...newer, max, caps: [...(frame['caps'] as string[]), 'teleport'] };
  }
  if (frame.op === 'ok' && frame['c']) {
    return { ...newer, c: (frame['c'] as object[]).map((item) => ({ ...item, shard: 7 })) };
  }
  if (frame.op === 'move') return { ...newer, why: 'solar-flare' };
  return newer;
}

/** Names one gateway to everybody; returns its URL. */
async function nameAlways(url: string, lookups: string[] = []): Promise<string> {
  const herald = await httpServer((request, response) => {
    lookups.push(request.url ?? '');
    const reply = { lookupId: 'l', gateway: 'gw-1', url, ticket: 't', alternates: [], mood: 'good' };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
  });
  closers.push(() => herald.close());
  return herald.url;
}

it('works with a later gateway: it ignores what it does not know and misses nothing it does', async () => {
  const real = await launchGateway();
  closers.push(() => real.gateway.close());
  const tomorrow = await startTomorrow(real);
  const lookups: string[] = [];
  const client = connect({
    herald: await nameAlways(tomorrow.url, lookups),
    topics: ['t'],
    webSocket: WebSocket,
  });
  closers.push(() => client.close());
  const messages: unknown[] = [];
  const gaps: unknown[] = [];
  const ends: unknown[] = [];
  client.on('message', ({ data }) => messages.push(data));
  client.on('gap', ({ from, count }) => gaps.push({ from, count }));
  client.on('end', (end) => ends.push(end));
  await until('live', () => client.state.name === 'live');
  real.link.publish('t', 1, 2);
  real.link.gap('t', 3, 4);
  await until('two messages and the gap', () => messages.length === 2 && gaps.length === 1);
  expect(gaps).toEqual([{ from: 3, count: 4 }]);
  // A reason to move that it does not know is obeyed like a drain.
  real.gateway.drain({ spreadMs: 50, deadlineMs: 10_000 });
  await until('it to look for another gateway', () => lookups.some((url) => url.includes('intent=move')));
  expect(messages).toEqual([1, 2]);
  expect(ends).toEqual([]);
  // It asks for what it knows and for nothing else.
  expect(new Set(tomorrow.fromClient.map(({ op }) => op))).toEqual(new Set(['hello', 'sub']));
});

it('speaks a capability that the program adds by its name, where the gateway has it too', async () => {
  const shout: Capability = {
    name: 'shout',
    ops: {
      shout: (connection, { text }) => connection.send({ op: 'shouted', text: String(text).toUpperCase() }),
    },
  };
  const [knows, older] = await Promise.all([launchGateway({}, { capabilities: [shout] }), launchGateway()]);
  closers.push(
    () => knows.gateway.close(),
    () => older.gateway.close(),
  );
  const connectTo = async ({ url }: LaunchedGateway, caps: readonly string[]): Promise<Client> => {
    const client = connect({ herald: await nameAlways(url), topics: ['t'], webSocket: WebSocket, caps });
    closers.push(() => client.close());
    expect([client.send({ op: 'shout', text: 'too early' }), client.caps]).toEqual([false, []]);
    await until('live', () => client.state.name === 'live');
    return client;
  };
  const client = await connectTo(knows, ['shout', 'whisper']);
  const frames: unknown[] = [];
  client.on('frame', (frame) => frames.push(frame));
  expect(client.caps).toEqual(['gap', 'move', 'shout']);
  expect(client.send({ op: 'shout', text: 'hello' })).toBe(true);
  await until('the answer', () => frames.length > 0);
  expect(frames).toEqual([{ op: 'shouted', text: 'HELLO' }]);
  // A gateway without it agrees to the rest, and the connection is as any other.
  const alone = await connectTo(older, ['shout']);
  expect(alone.caps).toEqual(['gap', 'move']);
  const messages: unknown[] = [];
  alone.on('message', ({ data }) => messages.push(data));
  older.link.publish('t', 1);
  await until('a message', () => messages.length === 1);
  expect(() => connect({ herald: 'http://h', webSocket: WebSocket, caps: ['not a name'] })).toThrow(
    TypeError,
  );
});

it.each([
  { epoch: 'not an epoch', offset: 1 },
  { epoch: 'e1', offset: -1 },
  { epoch: 'e1', offset: Number.NaN },
  { epoch: 'e1' } as { epoch: string; offset: number },
])('does not take %o for a position, which would cost other topics their subscription', (from) => {
  const topics = ['good', { topic: 'badly-kept', from }];
  expect(() => connect({ herald: 'http://h', webSocket: WebSocket, topics })).toThrow('is no position');
});
