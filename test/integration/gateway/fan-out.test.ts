// What fan-out promises, over real sockets: latency classes, compression that yields to CPU pressure, one
// buffer for every ping, and slow readers that cost nobody else anything.

import { Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';
import { RawClient } from '../../launch/raw-ws.ts';
import { feedbackReply, startScriptedHerald } from '../reporter/scripted-herald.ts';

afterEach(() => void vi.restoreAllMocks());

/** Subscribed, and from then on it reads nothing. */
async function idleReader(port: number, topic: string): Promise<RawClient> {
  const client = await RawClient.open(port);
  client.sendText({ op: 'hello', v: 1 });
  client.sendText({ op: 'sub', id: 1, c: [topic] });
  await client.until(() => client.texts.length === 2);
  client.socket.pause();
  return client;
}

it('sends a topic of a quick prefix before others while it rests, and no topic later than its own wait', async () => {
  const { gateway, link, url, port } = await gatewayForTest({
    maxWaitMs: 1_500,
    topicMaxWaitMs: ['quick.=1'],
    flushShare: 0.05,
  });
  const crowd = await Promise.all(Array.from({ length: 40 }, () => idleReader(port, 'crowd')));
  const watcher = await TestClient.connect(url);
  await watcher.subscribe('patient');
  const quick = await TestClient.connect(url);
  await quick.subscribe('quick.a');
  const arrivals: string[] = [];
  watcher.ws.on('message', () => arrivals.push('patient'));
  quick.ws.on('message', () => arrivals.push('quick'));
  // Some milliseconds of writing, after which a share of 0.05 rests for nineteen times as long.
  link.publish('crowd', ...Array.from({ length: 4 }, () => 'x'.repeat(60_000)));
  while (gateway.snapshot().ledger.delivered < 4 * crowd.length) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const startMs = performance.now();
  link.publish('patient', 1);
  link.publish('quick.a', 1);
  await watcher.messages(1);
  expect(arrivals).toEqual(['quick', 'patient']);
  // The rest may be longer; the wait of the class ends it. Room for a busy machine.
  expect(performance.now() - startMs).toBeLessThan(4_000);
  for (const client of crowd) client.destroy();
});

/** How the next message comes: RSV1 says compressed (RFC 7692 section 6). */
async function nextIsCompressed(client: RawClient, publish: () => void): Promise<boolean> {
  const from = client.frames.length;
  publish();
  await client.until(() => client.frames.length > from);
  return (client.frames[from]!.rsv & 4) !== 0;
}

it('stops compressing under CPU pressure, tells Herald, and starts again', { timeout: 60_000 }, async () => {
  const herald = await startScriptedHerald();
  herald.answer = () => feedbackReply({ periodMs: 200 });
  const { gateway, link, port, metrics } = await gatewayForTest({
    heralds: [herald.url],
    deflateFromBytes: 64,
  });
  const client = await RawClient.open(port, ['Sec-WebSocket-Extensions: permessage-deflate']);
  client.sendText({ op: 'hello', v: 1 });
  client.sendText({ op: 'sub', id: 1, c: ['t'] });
  await client.until(() => client.frames.length === 2);
  const text = 'the same words again and again '.repeat(30);
  const compressed = (): Promise<boolean> => nextIsCompressed(client, () => link.publish('t', text));
  const told = (): unknown => herald.reports().at(-1)?.['compressing'];

  // The machine may be busy with other things: the state is waited for, and then the wire must agree.
  await expect.poll(() => gateway.snapshot().compressing, { timeout: 20_000 }).toBe(true);
  expect(await compressed()).toBe(true);
  await expect.poll(told, { timeout: 10_000 }).toBe(true);
  const saved = (): number =>
    metrics.counters().find(({ name }) => name === 'gateway.deflate_saved_bytes')?.total ?? 0;
  expect(saved()).toBeGreaterThan(text.length / 2);

  gateway.squeeze(0.95);
  await expect.poll(() => gateway.snapshot().compressing, { timeout: 20_000 }).toBe(false);
  const savedBefore = saved();
  expect(await compressed()).toBe(false);
  expect(saved()).toBe(savedBefore);
  await expect.poll(told, { timeout: 20_000 }).toBe(false);

  gateway.squeeze(0);
  await expect.poll(() => gateway.snapshot().compressing, { timeout: 20_000 }).toBe(true);
  expect(await compressed()).toBe(true);
  client.destroy();
  await herald.close();
});

it('writes one and the same buffer to ping every client, spread over the period', async () => {
  const written: { bytes: unknown; atMs: number }[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own socket below
  const write = Socket.prototype.write;
  vi.spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...args: unknown[]) {
    const [bytes] = args;
    if (bytes instanceof Uint8Array && Buffer.from(bytes).includes('"op":"ping"')) {
      written.push({ bytes, atMs: performance.now() });
    }
    return (write as (...args: unknown[]) => boolean).apply(this, args);
  });
  const { url } = await gatewayForTest({ pingMs: 2_000 });
  const clients = await Promise.all(Array.from({ length: 30 }, () => TestClient.connect(url)));
  await Promise.all(clients.map((client) => client.next('ping', undefined, 15_000)));
  expect(written.length).toBeGreaterThanOrEqual(30);
  expect(new Set(written.map(({ bytes }) => bytes)).size).toBe(1);
  // Thirty clients that came together are not pinged together.
  const turns = new Set(written.slice(0, 30).map(({ atMs }) => Math.floor(atMs / 50)));
  expect(turns.size).toBeGreaterThan(3);
});

it('gives everyone else all messages while some have stopped reading, at the default limits', async () => {
  const { gateway, link, url, port } = await gatewayForTest();
  const good = await Promise.all(Array.from({ length: 10 }, () => TestClient.connect(url)));
  await Promise.all(good.map((client) => client.subscribe('t')));
  const stopped = await Promise.all(Array.from({ length: 3 }, () => idleReader(port, 't')));
  const message = 'x'.repeat(60_000);
  let mostEach = 0;
  let published = 0;
  const untilMs = performance.now() + 40_000;
  while (gateway.snapshot().connections > good.length) {
    link.publish('t', message);
    published += 1;
    await Promise.all(good.map((client) => client.messages(1, 20_000)));
    mostEach = Math.max(mostEach, gateway.snapshot().bufferedBytes / stopped.length);
    expect(performance.now()).toBeLessThan(untilMs);
  }
  expect(good.map(({ frames }) => frames.filter(({ op }) => op === 'msg').length)).toEqual(
    good.map(() => published),
  );
  // Above the soft limit, and never above the hard one by more than the write that crossed it.
  expect(mostEach).toBeGreaterThan(262_144);
  expect(mostEach).toBeLessThan(1_048_576 + 2 * 61_000);
  const { closes, ledger } = gateway.snapshot();
  expect(closes.map(({ code }) => code)).toEqual([4101, 4101, 4101]);
  expect(ledger.due).toBe(ledger.delivered + ledger.dropped.closed + ledger.dropped['slow-consumer']);
  for (const client of stopped) client.destroy();
});
