// How clients leave: moved, drained, shut out, too slow, silent.

import { connect } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';
import { RawClient } from '../../launch/raw-ws.ts';
import { pause, until } from '../../launch/until.ts';

it('asks to move in a drain, closes leftovers from the deadline on, and refuses newcomers', async () => {
  const { gateway, url } = await gatewayForTest({ lookupUrls: ['http://herald.test'] });
  const moves = await TestClient.connect(url);
  const old = await TestClient.connect(url, { caps: [] });
  const startMs = performance.now();
  gateway.drain({ spreadMs: 200, deadlineMs: 600 });
  expect(await moves.next('move')).toEqual({
    op: 'move',
    why: 'drain',
    spreadMs: 200,
    deadlineMs: 600,
    lookup: 'http://herald.test',
  });
  const first = await Promise.race([old.closing(), moves.closing().then(() => undefined)]);
  expect(first?.code).toBe(4201);
  const late = new TestClient(url);
  expect((await late.closing()).code).toBe(1006);
  expect((await moves.closing()).code).toBe(4201);
  expect(performance.now() - startMs).toBeGreaterThan(590);
  await expect.poll(() => gateway.snapshot().closesByCause).toEqual({ draining: 2 });
});

it('lets everyone stay when a drain is called off', async () => {
  const { gateway, url } = await gatewayForTest();
  const client = await TestClient.connect(url);
  gateway.drain({ spreadMs: 10, deadlineMs: 300 });
  await client.next('move');
  gateway.ready();
  await TestClient.connect(url);
  // A second drain, with a later deadline, is the only one that still closes anybody.
  const startMs = performance.now();
  gateway.drain({ spreadMs: 10, deadlineMs: 600 });
  expect((await client.closing()).code).toBe(4201);
  expect(performance.now() - startMs).toBeGreaterThan(590);
});

it('delivers what it owes, asks to move and closes with 4204 at a stop', async () => {
  const { gateway, link, url } = await gatewayForTest({
    shutdownSpreadMs: 200,
    maxWaitMs: 1_000,
    flushShare: 0.05,
  });
  const client = await TestClient.connect(url);
  await client.subscribe('t');
  link.publish('t', 1, 2, 3);
  const closed = gateway.close();
  expect(await client.next('move')).toMatchObject({ why: 'shutdown' });
  expect(await client.messages(3)).toEqual([1, 2, 3]);
  expect((await client.closing()).code).toBe(4204);
  await closed;
  await expect(fetch(url.replace('ws', 'http'))).rejects.toThrow();
});

it('closes a client that stopped reading, which costs the others nothing', async () => {
  const { gateway, link, url, port } = await gatewayForTest({
    hardBufferBytes: 300_000,
    softBufferBytes: 100_000,
  });
  const good = await TestClient.connect(url);
  await good.subscribe('t');
  // A socket that never reads: upgrade, hello and sub go out in one piece, and then nothing.
  const stopped = connect(port, '127.0.0.1');
  await once(stopped, 'connect');
  stopped.pause();
  stopped.on('error', () => {});
  stopped.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Protocol: herald.v1.json\r\n\r\n',
  );
  for (const frame of [
    { op: 'hello', v: 1 },
    { op: 'sub', id: 1, c: ['t'] },
  ]) {
    const text = Buffer.from(JSON.stringify(frame));
    stopped.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  }
  await expect.poll(() => gateway.snapshot().subscriptions).toBe(2);

  const data = { filler: 'x'.repeat(60_000) };
  const lagsMs: number[] = [];
  let mostBuffered = 0;
  const deadlineMs = performance.now() + 10_000;
  while (gateway.snapshot().connections > 1) {
    const startMs = performance.now();
    link.publish('t', data);
    await good.messages(1);
    lagsMs.push(performance.now() - startMs);
    mostBuffered = Math.max(mostBuffered, gateway.snapshot().bufferedBytes);
    expect(performance.now()).toBeLessThan(deadlineMs);
  }
  // The hard limit and the one write that crossed it.
  expect(mostBuffered).toBeLessThan(300_000 + 2 * 61_000);
  lagsMs.sort((a, b) => a - b);
  expect(lagsMs[Math.floor(lagsMs.length / 2)]!).toBeLessThan(100);
  const { closes, ledger, bufferedBytes } = gateway.snapshot();
  expect(closes[0]).toMatchObject({ cause: 'slow-consumer', code: 4101 });
  expect(bufferedBytes).toBe(0);
  const { due, delivered, dropped } = ledger;
  expect(due).toBe(delivered + dropped.closed + dropped['slow-consumer']);
  expect(dropped.closed).toBe(0);
  stopped.destroy();
});

it('replays no more to a client than it has read, however often it asks', async () => {
  const { gateway, link, port } = await gatewayForTest({ messagesPerSec: 1_000 });
  link.publishBytes('t', Buffer.from(JSON.stringify('x'.repeat(10_000))), 90);
  const greedy = await RawClient.open(port);
  greedy.sendText({ op: 'hello', v: 1 });
  await greedy.until(() => greedy.texts.length > 0);
  greedy.socket.pause();
  let mostBuffered = 0;
  for (let id = 1; id <= 60; id++) {
    greedy.sendText({ op: 'sub', id, c: [{ c: 't', from: { e: 'e1', o: 0 } }] });
    await pause(5);
    mostBuffered = Math.max(mostBuffered, gateway.snapshot().bufferedBytes);
  }
  // One replay, and nothing that was asked for behind it.
  expect(mostBuffered).toBeLessThan(2_000_000);
  expect(mostBuffered).toBeGreaterThan(500_000);
  greedy.socket.resume();
  expect(await greedy.closing()).toBe(4103);
  greedy.destroy();
});

it('closes who does not read what it resumed with, in a time that grows with it', async () => {
  const { gateway, link, port } = await gatewayForTest({
    messagesPerSec: 1_000,
    softBufferBytes: 300_000,
    softBufferMs: 200,
  });
  link.publishBytes('t', Buffer.from(JSON.stringify('x'.repeat(10_000))), 90);
  const greedy = await RawClient.open(port);
  greedy.sendText({ op: 'hello', v: 1 });
  await greedy.until(() => greedy.texts.length > 0);
  greedy.socket.pause();
  // The first ones fill the kernel's buffers.
  for (let id = 1; gateway.snapshot().bufferedBytes < 600_000; id++) {
    greedy.sendText({ op: 'sub', id, c: [{ c: 't', from: { e: 'e1', o: 0 } }] });
    await pause(10);
  }
  const startMs = performance.now();
  await until('it to be gone', () => gateway.snapshot().connections === 0);
  expect(performance.now() - startMs).toBeGreaterThan(500);
  expect(gateway.snapshot().closes[0]).toMatchObject({ cause: 'slow-consumer', code: 4101 });
  greedy.destroy();
});

it('closes a client that stays above the soft limit for too long', async () => {
  const { gateway, link, url } = await gatewayForTest({ softBufferBytes: 50_000, softBufferMs: 700 });
  const slow = await TestClient.connect(url);
  await slow.subscribe('t');
  slow.ws.pause();
  const filler = 'x'.repeat(60_000);
  // Fills the kernel's buffers and then ours, up to between the two limits.
  while (gateway.snapshot().bufferedBytes < 60_000) {
    link.publish('t', filler);
    await pause(10);
  }
  expect(gateway.snapshot().connections).toBe(1);
  await expect
    .poll(() => gateway.snapshot().closesByCause, { timeout: 5_000 })
    .toEqual({ 'slow-consumer': 1 });
});

it('pings, and closes who gives no sign of life for two periods', async () => {
  const { url } = await gatewayForTest({ pingMs: 400 });
  const client = await TestClient.connect(url);
  const startMs = performance.now();
  const answers = await TestClient.connect(url);
  const timer = setInterval(() => answers.send({ op: 'pong' }), 100);
  await client.next('ping');
  expect((await client.closing()).code).toBe(4102);
  clearInterval(timer);
  expect(performance.now() - startMs).toBeGreaterThan(800);
  expect(answers.closed).toBeUndefined();
});

it('closes who says no hello in time', async () => {
  const { url } = await gatewayForTest({ helloTimeoutMs: 200 });
  const client = new TestClient(url);
  expect(await client.closing()).toMatchObject({ code: 4205 });
});

it('closes who sends more than its rate, after the burst it may have', async () => {
  const { url } = await gatewayForTest({ messagesPerSec: 10 });
  const client = await TestClient.connect(url);
  for (let i = 0; i < 15; i++) client.send({ op: 'ping' });
  for (let i = 0; i < 15; i++) await client.next('pong');
  for (let i = 0; i < 10; i++) client.send({ op: 'ping' });
  expect(await client.closing()).toMatchObject({ code: 4103 });
});

it('does not take a code that a client sends for a cause of its own', async () => {
  const { gateway, link, port } = await gatewayForTest();
  for (const code of [4101, 1009, 3000, 4999]) {
    const client = await RawClient.open(port);
    client.sendText({ op: 'hello', v: 1 });
    client.sendText({ op: 'sub', id: 1, c: ['t'] });
    await client.until(() => client.texts.length > 1);
    client.send({ opcode: 8, payload: Buffer.from([code >> 8, code & 255]) });
    link.publish('t', code);
    await client.closing();
  }
  await expect.poll(() => gateway.snapshot().closesByCause).toEqual({ 'client-code': 4 });
  expect(gateway.snapshot().closes.map(({ code }) => code)).toEqual([4999, 3000, 1009, 4101]);
  expect(gateway.snapshot().ledger.dropped['slow-consumer']).toBe(0);
  const broken = await RawClient.open(port);
  broken.send({ opcode: 1, payload: '{}', rsv: 1 });
  expect(await broken.closing()).toBe(1002);
  await expect.poll(() => gateway.snapshot().closesByCause['ws-1002']).toBe(1);
});

it('keeps the last 1,000 closes with their cause, and shows them to operators', async () => {
  const { gateway, url, port } = await gatewayForTest({ messagesPerSec: 100_000 });
  const leaves = await TestClient.connect(url);
  leaves.ws.close(1000);
  await leaves.closing();
  const lost = await TestClient.connect(url);
  lost.drop();
  await expect.poll(() => gateway.snapshot().closes.length).toBe(2);
  const ask = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  const { conn } = lost.frames[0] as { conn?: string };
  expect(await ask('/v1/closes?n=1')).toMatchObject({
    gateway: gateway.id,
    byCause: { 'connection-lost': 1, 'client-left': 1 },
    closes: [{ conn, cause: 'connection-lost', code: 1006 }],
  });
  expect(await ask('/v1/closes')).toMatchObject({
    closes: [{ cause: 'connection-lost' }, { cause: 'client-left' }],
  });
  expect(await ask('/v1/closes?n=-1')).toMatchObject({ status: 400 });
});

it('shows closes to nobody beyond this machine without a token, and to none but its bearer with one', async () => {
  const first = await gatewayForTest();
  const status = async (port: number, headers: Record<string, string>): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/v1/closes`, { headers })).status;
  expect(await status(first.port, {})).toBe(200);
  for (const header of ['x-forwarded-for', 'x-real-ip', 'via', 'forwarded']) {
    expect(await status(first.port, { [header]: '203.0.113.9' })).toBe(403);
  }
  await first.gateway.close();
  // Where strangers are sent, a proxy on this machine that passes on their bytes has no header to show.
  const open = await gatewayForTest({ url: 'wss://gateway-1.example.com/ws' });
  expect(await status(Number(new URL(open.gateway.addresses.http).port), {})).toBe(403);
  await open.gateway.close();
  const { port } = await gatewayForTest({ adminToken: 'a token of the operators' });
  expect(await status(port, {})).toBe(401);
  expect(await status(port, { authorization: 'Bearer another token' })).toBe(401);
  expect(await status(port, { authorization: 'Bearer a token of the operators' })).toBe(200);
});

it('closes the leftovers of a drain one after another, not all at once', async () => {
  const { gateway, url } = await gatewayForTest();
  const clients = await Promise.all(Array.from({ length: 40 }, () => TestClient.connect(url)));
  gateway.drain({ spreadMs: 2_000, deadlineMs: 200 });
  const endedMs = await Promise.all(
    clients.map(async (client) => {
      await client.closing();
      return performance.now();
    }),
  );
  expect(clients.map(({ closed }) => closed?.code)).toEqual(clients.map(() => 4201));
  // Drawn from one second; what 40 draws span is below 400 ms once in 10^14.
  expect(Math.max(...endedMs) - Math.min(...endedMs)).toBeGreaterThan(400);
});
