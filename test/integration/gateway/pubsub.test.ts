// The gateway's main job over real sockets: hello, sub, msg, and the same bytes for everyone.

import { expect, it } from 'vitest';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';

it('welcomes a client and delivers what is published to its topic', async () => {
  const { link, url, gateway } = await gatewayForTest({ id: 'gw-1', lookupUrls: ['http://herald.test'] });
  const client = new TestClient(url);
  client.ws.on('open', () => client.send({ op: 'hello', v: 1, caps: ['gap', 'teleport'] }));
  expect(await client.next('welcome')).toMatchObject({
    v: 1,
    caps: ['gap'],
    gateway: 'gw-1',
    pingMs: 25_000,
    max: { frame: 65_536, topics: 128, perSec: 20 },
    lookup: ['http://herald.test'],
  });
  expect(await client.subscribe('orders.eu')).toEqual([{ c: 'orders.eu', e: 'e1', o: 0 }]);
  link.publish('orders.eu', { n: 1 }, 'text with "quotes" and ümlauts', null);
  link.publish('orders.us', 'not for us');
  expect(await client.next('msg')).toEqual({ op: 'msg', c: 'orders.eu', e: 'e1', o: 1, d: { n: 1 } });
  expect(await client.next('msg')).toMatchObject({ o: 2, d: 'text with "quotes" and ümlauts' });
  expect(await client.next('msg')).toMatchObject({ o: 3, d: null });
  expect(gateway.snapshot()).toMatchObject({ connections: 1, acceptedTotal: 1, subscriptions: 1 });
});

it('gives every subscriber each message once and in order, whatever else it is subscribed to', async () => {
  const { link, url, gateway } = await gatewayForTest();
  const clients = await Promise.all(
    Array.from({ length: 30 }, (_, i) => TestClient.connect(url, { deflate: i % 3 === 0 })),
  );
  await Promise.all(clients.map((client, i) => client.subscribe('a', ...(i % 2 ? ['b'] : []))));
  const long = 'x'.repeat(900);
  for (let n = 0; n < 200; n++) link.publish(n % 4 === 3 ? 'b' : 'a', { n, long });
  for (const [i, client] of clients.entries()) {
    const expected = Array.from({ length: 200 }, (_, n) => n).filter((n) => i % 2 || n % 4 !== 3);
    const got = (await client.messages(expected.length)) as { n: number }[];
    expect(got.map(({ n }) => n)).toEqual(expected);
  }
  const { ledger } = gateway.snapshot();
  expect(ledger.delivered).toBe(30 * 150 + 15 * 50);
  expect(ledger.due).toBe(ledger.delivered);
  expect(ledger.received).toBe(200);
});

it('starts a late subscriber after the offset its ok names, in the middle of a stream', async () => {
  const { link, url } = await gatewayForTest({ maxWaitMs: 30 });
  const early = await TestClient.connect(url);
  await early.subscribe('t');
  const late = await TestClient.connect(url);
  let n = 0;
  const timer = setInterval(() => link.publish('t', n++), 1);
  try {
    for (let round = 0; round < 10; round++) {
      const [item] = await late.subscribe('t');
      const first = await late.next('msg');
      expect(first['o']).toBe((item!['o'] as number) + 1);
      late.send({ op: 'unsub', id: 1_000 + round, c: ['t'] });
      await late.next('ok', (frame) => frame['id'] === 1_000 + round);
      const silentFrom = late.frames.length;
      link.publish('t', n++);
      late.send({ op: 'ping' });
      await late.next('pong');
      expect(late.frames.slice(silentFrom).some(({ op }) => op === 'msg')).toBe(false);
    }
  } finally {
    clearInterval(timer);
  }
});

it('sends the newest message on subscribe where a topic prefix asks for it', async () => {
  const { link, url } = await gatewayForTest({ lastValueTopics: ['price.'] });
  const first = await TestClient.connect(url);
  await first.subscribe('price.eur', 'chat.1');
  link.publish('price.eur', 1, 2);
  link.publish('chat.1', 'hi');
  await first.messages(3);
  const second = await TestClient.connect(url);
  const [price, chat] = await second.subscribe('price.eur', 'chat.1');
  expect(price).toMatchObject({ o: 1 });
  expect(chat).toMatchObject({ o: 1 });
  expect(await second.next('msg')).toMatchObject({ c: 'price.eur', o: 2, d: 2 });
});

it('asks the brokers for the newest message where nobody has seen one here, once', async () => {
  const { link, url } = await gatewayForTest({ lastValueTopics: ['price.'], resumeMessages: 0 });
  link.publish('price.eur', 1, 2, 3);
  const clients = await Promise.all([TestClient.connect(url), TestClient.connect(url)]);
  for (const client of clients) {
    expect(await client.subscribe('price.eur', 'price.none')).toEqual([
      { c: 'price.eur', e: 'e1', o: 2 },
      { c: 'price.none', e: 'e1', o: 0 },
    ]);
    expect(await client.next('msg')).toEqual({ op: 'msg', c: 'price.eur', o: 3, d: 3 });
  }
  expect(link.fetches).toEqual([{ topic: 'price.eur', position: { epoch: 'e1', offset: 2 } }]);
  link.publish('price.eur', 4);
  for (const client of clients) expect(await client.messages(1)).toEqual([4]);
});

it('keeps the newest message however old it is', async () => {
  const { link, url, gateway } = await gatewayForTest({ lastValueTopics: ['price.'], resumeMs: 100 });
  const first = await TestClient.connect(url);
  await first.subscribe('price.eur', 'other');
  link.publish('price.eur', 'old');
  link.publish('other', 'old');
  await first.messages(2);
  // The sweep that forgets what is older than 100 ms comes once a second.
  await expect.poll(() => gateway.snapshot().historyBytes, { timeout: 5_000 }).toBeLessThan(60);
  const second = await TestClient.connect(url);
  await second.subscribe('price.eur', 'other');
  expect(await second.messages(1)).toEqual(['old']);
  expect(link.fetches).toEqual([]);
});

it('tells a gap with its count in its place between the messages, to clients that know gaps', async () => {
  const { link, url, gateway } = await gatewayForTest();
  const knows = await TestClient.connect(url);
  const old = await TestClient.connect(url, { caps: [] });
  await Promise.all([knows.subscribe('t'), old.subscribe('t')]);
  link.publish('t', 'one');
  link.gap('t', 2, 5);
  link.publish('t', 'seven');
  await knows.next('msg');
  expect(await knows.next('gap')).toEqual({ op: 'gap', c: 't', e: 'e1', from: 2, n: 5, why: 'trimmed' });
  await knows.next('msg');
  await old.messages(2);
  expect(old.frames.some(({ op }) => op === 'gap')).toBe(false);
  expect(gateway.snapshot().ledger).toMatchObject({ gapMessages: 10, gapFrames: 1 });
});

it('names the epoch in the first message that comes here, and a new one in the first of it', async () => {
  const { link, url } = await gatewayForTest();
  const client = await TestClient.connect(url);
  await client.subscribe('t');
  link.publish('t', 1, 2);
  expect(await client.next('msg')).toMatchObject({ e: 'e1', o: 1 });
  expect(await client.next('msg')).not.toHaveProperty('e');
  link.epoch = 'e2';
  link.publish('t', 2, 3);
  expect(await client.next('msg')).toMatchObject({ e: 'e2', o: 1 });
  expect(await client.next('msg')).not.toHaveProperty('e');
});

it('keeps the interest in a topic for a while after its last subscriber, then ends it', async () => {
  const { link, url } = await gatewayForTest({ topicLingerMs: 300 });
  const client = await TestClient.connect(url);
  await client.subscribe('t');
  client.send({ op: 'unsub', id: 9, c: ['t'] });
  await client.next('ok');
  expect(link.wanted.has('t')).toBe(true);
  await expect.poll(() => link.wanted.has('t'), { timeout: 5_000 }).toBe(false);
});

it('refuses topics above the limit one by one', async () => {
  const { url } = await gatewayForTest({ maxTopics: 2 });
  const client = await TestClient.connect(url);
  const items = await client.subscribe('a', 'b', 'c');
  expect(items.map(({ err }) => (err as { code: number } | undefined)?.code)).toEqual([
    undefined,
    undefined,
    4005,
  ]);
});

it('refuses topics that come too fast one by one, and a slower client none', async () => {
  const { url, gateway } = await gatewayForTest({ maxTopics: 4, newTopicsPerSec: 1, messagesPerSec: 1_000 });
  const client = await TestClient.connect(url);
  const startedMs = performance.now();
  const codes: unknown[] = [];
  for (let round = 0; round < 5; round++) {
    const topics = [1, 2, 3, 4].map((n) => `flood.${round}.${n}`);
    for (const { err } of await client.subscribe(...topics))
      codes.push((err as { code: number } | undefined)?.code);
    client.send({ op: 'unsub', id: 1_000 + round, c: topics });
    await client.next('ok', (frame) => frame['id'] === 1_000 + round);
  }
  // All that a client may have at once, then one a second.
  const most = 4 + Math.ceil((performance.now() - startedMs) / 1_000);
  expect(codes.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
  expect(codes.filter((code) => code === undefined).length).toBeLessThanOrEqual(most);
  expect(new Set(codes)).toEqual(new Set([undefined, 4103]));
  expect(gateway.snapshot().topics).toBeLessThanOrEqual(most);
  expect(client.closed).toBeUndefined();
  const calm = await TestClient.connect(url);
  const items = await calm.subscribe('a', 'b', 'c', 'd');
  expect(items.every(({ err }) => err === undefined)).toBe(true);
});

it('answers health over HTTP on the same port', async () => {
  const { port, gateway } = await gatewayForTest();
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  expect((await get('/livez')).status).toBe(200);
  expect(await (await get('/readyz')).json()).toMatchObject({ ready: true, state: 'up' });
  expect((await get('/other')).status).toBe(404);
  gateway.drain({ spreadMs: 0, deadlineMs: 0 });
  expect((await get('/readyz')).status).toBe(503);
  gateway.ready();
  expect((await get('/readyz')).status).toBe(200);
});
