// Coming back: all that was missed or an honest "no", at the gateway one was at and at any other.

import { expect, it } from 'vitest';
import { gatewayForTest, TestClient } from '../../launch/gateway.ts';

it('replays what a client missed, once and in order, and goes on live', async () => {
  const { link, url, gateway } = await gatewayForTest();
  const client = await TestClient.connect(url);
  const stays = await TestClient.connect(url);
  await Promise.all([client.subscribe('t'), stays.subscribe('t')]);
  link.publish('t', 1, 2);
  await client.messages(2);
  client.drop();
  link.publish('t', 3, 4, 5);
  const again = await TestClient.connect(url);
  expect(await again.subscribe({ c: 't', from: { e: 'e1', o: 2 } })).toEqual([
    { c: 't', e: 'e1', o: 2, rec: true },
  ]);
  link.publish('t', 6);
  expect(await again.messages(4)).toEqual([3, 4, 5, 6]);
  // What came just before it began to listen may have gone another way.
  expect(link.fetches).toHaveLength(1);
  expect(gateway.snapshot().ledger.replayed).toBe(3);
});

it('asks the brokers at a gateway that was not there, once for a crowd', async () => {
  const { link, url } = await gatewayForTest();
  link.publish('t', 1, 2, 3, 4);
  const crowd = await Promise.all(Array.from({ length: 20 }, () => TestClient.connect(url)));
  let open: () => void = () => {};
  link.hold = new Promise((resolve) => (open = resolve));
  const subscribed = crowd.map((client) => client.subscribe({ c: 't', from: { e: 'e1', o: 2 } }));
  await expect.poll(() => link.wanted.has('t')).toBe(true);
  open();
  for (const [item] of await Promise.all(subscribed)) expect(item).toMatchObject({ rec: true, o: 2 });
  link.publish('t', 5);
  for (const client of crowd) expect(await client.messages(3)).toEqual([3, 4, 5]);
  expect(link.fetches).toHaveLength(1);
});

it('gives nothing and counts the hole when more was missed than is kept', async () => {
  const { link, url } = await gatewayForTest({ resumeMessages: 5 });
  const client = await TestClient.connect(url);
  const stays = await TestClient.connect(url);
  await Promise.all([client.subscribe('t'), stays.subscribe('t')]);
  link.publish('t', 0);
  await client.messages(1);
  client.drop();
  for (let n = 1; n <= 9; n++) link.publish('t', n);
  const again = await TestClient.connect(url);
  expect(await again.subscribe({ c: 't', from: { e: 'e1', o: 1 } })).toMatchObject([{ rec: false, o: 10 }]);
  expect(await again.next('gap')).toMatchObject({ from: 2, n: 9, why: 'trimmed' });
  link.publish('t', 'next');
  expect(await again.messages(1)).toEqual(['next']);
});

it('does not bridge a gap the brokers told of', async () => {
  const { link, url } = await gatewayForTest();
  const client = await TestClient.connect(url);
  const stays = await TestClient.connect(url);
  await Promise.all([client.subscribe('t'), stays.subscribe('t')]);
  link.publish('t', 1);
  await client.messages(1);
  client.drop();
  link.gap('t', 2, 3);
  await stays.next('gap');
  const again = await TestClient.connect(url);
  const [item] = await again.subscribe({ c: 't', from: { e: 'e1', o: 1 } });
  expect(item).toMatchObject({ rec: false, o: 4 });
  expect(await again.next('gap')).toMatchObject({ from: 2, n: 3 });
});

it('resumes who was told of a loss in an earlier epoch, and nobody who was not', async () => {
  const { link, url } = await gatewayForTest();
  const stays = await TestClient.connect(url);
  await stays.subscribe('t');
  link.publish('t', 1, 2);
  link.epoch = 'e2';
  link.publish('t', 3);
  await stays.messages(3);
  link.gap('t', 3, 2, 'e1');
  await stays.next('gap');
  const resume = async (o: number): Promise<Record<string, unknown>[]> => {
    const from = { e: 'e2', o: 1, also: [{ e: 'e1', o }] };
    return (await TestClient.connect(url)).subscribe({ c: 't', from });
  };
  expect(await resume(4)).toMatchObject([{ rec: true, e: 'e2', o: 1 }]);
  expect(await resume(2)).toMatchObject([{ rec: false }]);
});

it('says no when the epoch is gone, and when the client has none', async () => {
  const { link, url } = await gatewayForTest();
  link.publish('t', 1, 2);
  const client = await TestClient.connect(url);
  expect(
    await client.subscribe({ c: 't', from: { e: 'gone', o: 7 } }, { c: 'u', from: { e: '', o: 0 } }),
  ).toMatchObject([
    { c: 't', rec: false, e: 'e1', o: 2 },
    { c: 'u', rec: false },
  ]);
  expect(await client.next('gap')).toMatchObject({ c: 't', n: 0, from: 0, why: 'unknown' });
});

it('gives the newest message after the hole where a topic prefix asks for it', async () => {
  const { link, url } = await gatewayForTest({ resumeMessages: 2, lastValueTopics: ['price.'] });
  const watching = await TestClient.connect(url);
  await watching.subscribe('price.eur');
  for (const topic of ['price.eur', 'price.usd', 'price.gbp']) link.publish(topic, 1, 2, 3, 4, 5, 6);
  await watching.messages(6);
  // One topic is known here and the others are not; more was missed of it than is kept, or nobody knows how much.
  const trimmed = { from: 2, n: 4 };
  for (const [c, from, hole] of [
    ['price.eur', { e: 'e1', o: 1 }, trimmed],
    ['price.usd', { e: 'e1', o: 1 }, trimmed],
    ['price.gbp', { e: 'gone', o: 9 }, { from: 0, n: 0 }],
  ] as const) {
    const back = await TestClient.connect(url);
    expect(await back.subscribe({ c, from })).toMatchObject([{ rec: false, e: 'e1', o: 5 }]);
    expect(await back.next('gap')).toMatchObject({ c, ...hole });
    expect(await back.next('msg')).toMatchObject({ c, o: 6, d: 6 });
    link.publish(c, 7);
    expect(await back.messages(1)).toEqual([7]);
  }
});

it('gives no newest message to a client that has it, or a newer one', async () => {
  const { link, url } = await gatewayForTest({ lastValueTopics: ['price.'] });
  link.publish('price.eur', 1, 2);
  const client = await TestClient.connect(url);
  await client.subscribe('price.eur');
  expect(await client.messages(1)).toEqual([2]);
  const ahead = await TestClient.connect(url);
  expect(await ahead.subscribe({ c: 'price.eur', from: { e: 'e1', o: 99 } })).toMatchObject([
    { rec: false, o: 2 },
  ]);
  link.publish('price.eur', 3);
  expect(await ahead.messages(1)).toEqual([3]);
});

it('takes the newest message, fetched for a newcomer, for no proof of what came before a hole', async () => {
  const { link, url } = await gatewayForTest({ lastValueTopics: ['price.'] });
  const stays = await TestClient.connect(url);
  await stays.subscribe('price.eur');
  link.publish('price.eur', 1, 2);
  await stays.messages(2);
  link.gap('price.eur', 0, 0);
  await stays.next('gap');
  const newcomer = await TestClient.connect(url);
  await newcomer.subscribe('price.eur');
  expect(await newcomer.messages(1)).toEqual([2]);
  const back = await TestClient.connect(url);
  expect(await back.subscribe({ c: 'price.eur', from: { e: 'e1', o: 2 } })).toMatchObject([
    { rec: false, o: 2 },
  ]);
  expect(await back.next('gap')).toMatchObject({ n: 0, why: 'unknown' });
  // It has the newest one already.
  link.publish('price.eur', 3);
  expect(await back.messages(1)).toEqual([3]);
});

it('asks the brokers no more often for a client that resumes a topic again and again', async () => {
  const { link, url } = await gatewayForTest({ maxTopics: 3, newTopicsPerSec: 1 });
  const client = await TestClient.connect(url);
  await client.subscribe('t');
  const items: Record<string, unknown>[] = [];
  for (let o = 1; o <= 10; o++) items.push(...(await client.subscribe({ c: 't', from: { e: 'gone', o } })));
  const refused = items.filter(({ err }) => err !== undefined);
  expect(refused[0]).toMatchObject({ c: 't', err: { code: 4103 } });
  expect(link.fetches).toHaveLength(items.length - refused.length);
  expect(refused.length).toBeGreaterThan(2);
  // It is subscribed all the same.
  link.publish('t', 1);
  expect(await client.messages(1)).toEqual([1]);
});

it('counts no messages below none for a client that is ahead of the topic', async () => {
  const { link, url, gateway } = await gatewayForTest();
  link.publish('t', 1, 2);
  const client = await TestClient.connect(url);
  expect(await client.subscribe({ c: 't', from: { e: 'e1', o: 99 } })).toMatchObject([{ rec: false, o: 2 }]);
  expect(await client.next('gap')).toMatchObject({ e: 'e1', from: 0, n: 0, why: 'unknown' });
  expect(gateway.snapshot().ledger.gapMessages).toBe(0);
});

it('names the epoch to everybody after one subscriber resumed from an older one', async () => {
  const { link, url } = await gatewayForTest();
  const stays = await TestClient.connect(url);
  await stays.subscribe('t');
  link.publish('t', 1, 2);
  await stays.messages(2);
  link.epoch = 'e2';
  link.publish('t', 3);
  await stays.messages(1);
  const back = await TestClient.connect(url);
  expect(await back.subscribe({ c: 't', from: { e: 'e1', o: 1 } })).toMatchObject([
    { e: 'e1', o: 1, rec: true },
  ]);
  expect(await back.next('msg')).toMatchObject({ o: 2, d: 2 });
  expect(await back.next('msg')).toMatchObject({ e: 'e2', o: 1, d: 3 });
  link.publish('t', 4);
  expect(await back.next('msg')).toMatchObject({ e: 'e2', o: 2, d: 4 });
});

it('keeps the order of sub and unsub of one client while the brokers are slow', async () => {
  const { link, url, gateway } = await gatewayForTest();
  const client = await TestClient.connect(url);
  let open: () => void = () => {};
  link.hold = new Promise((resolve) => (open = resolve));
  client.send({ op: 'sub', id: 1, c: ['a', 'b'] });
  client.send({ op: 'unsub', id: 2, c: ['a'] });
  client.send({ op: 'ping' });
  await client.next('pong');
  open();
  expect(await client.next('ok')).toMatchObject({ id: 1 });
  expect(await client.next('ok')).toMatchObject({ id: 2 });
  link.publish('a', 'no');
  link.publish('b', 'yes');
  expect(await client.messages(1)).toEqual(['yes']);
  expect(gateway.snapshot().subscriptions).toBe(1);
});

it('lets a client go that left while its subscription was under way', async () => {
  const { link, url, gateway } = await gatewayForTest({ topicLingerMs: 100 });
  const client = await TestClient.connect(url);
  let open: () => void = () => {};
  link.hold = new Promise((resolve) => (open = resolve));
  client.send({ op: 'sub', id: 1, c: ['a'] });
  await expect.poll(() => link.wanted.has('a')).toBe(true);
  client.drop();
  await expect.poll(() => gateway.snapshot().connections).toBe(0);
  open();
  await expect.poll(() => gateway.snapshot().topics, { timeout: 5_000 }).toBe(0);
  expect(gateway.snapshot()).toMatchObject({ subscriptions: 0, groups: 0 });
});
