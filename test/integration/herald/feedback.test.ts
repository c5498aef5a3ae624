import { Client } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/daemon/clock.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report, send, stateOf } from './one-herald.ts';

let herald: OneHerald;
afterEach(() => herald.close());

const feedback = (): string => `${herald.addresses.control}/v1/feedback`;

test('takes what a shell script sends and answers all a gateway needs', async () => {
  herald = await oneHerald({ periodMs: 700 });
  const { status, body } = await send(feedback(), {
    v: 1,
    gateway: 'gw-1',
    url: 'ws://127.0.0.1:7410/ws',
    seq: 1,
    cpu: 0.5,
    unknown: { of: ['a', 'later', 'version'] },
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    accepted: 1,
    periodMs: 700,
    heraldId: 'herald-1',
    heralds: [herald.addresses.control],
    brokers: [],
  });
  expect(body.nowMs).toBeGreaterThan(0);
});

// Texts, not values: JSON.stringify would turn NaN into null and 1e999 never comes out of it.
const BAD: [string, string, string][] = [
  ['NaN', '"cpu":NaN', 'body'],
  ['Infinity', '"cpu":1e999', 'cpu'],
  ['a negative load', '"cpu":-1', 'cpu'],
  ['a load beyond all range', '"cpu":1e308', 'cpu'],
  ['a number as text', '"cpu":"0.05"', 'cpu'],
  ['a list for a number', '"cpu":[0.1]', 'cpu'],
  ['an object for a number', '"cpu":{"valueOf":1}', 'cpu'],
  ['true for a number', '"eventLoop":true', 'eventLoop'],
  ['no signal at all', '"x":1', 'cpu'],
  ['half a connection', '"cpu":0.1,"connections":1.5', 'connections'],
  ['minus one connection', '"cpu":0.1,"connections":-1', 'connections'],
  ['a period of a day', '"cpu":0.1,"periodMs":86400000', 'periodMs'],
  ['no capacity', '"cpu":0.1,"capacity":0', 'capacity'],
  ['a state of its own', '"cpu":0.1,"state":"fine"', 'state'],
  ['a pool with a newline', '"cpu":0.1,"pool":"a\\nb"', 'pool'],
  ['labels as a list', '"cpu":0.1,"labels":[1]', 'labels'],
  ['a negative counter', '"cpu":0.1,"tickets":{"h":{"admitted":-5}}', 'admitted'],
];

test.each(BAD)('refuses %s whole, naming field, value and range', async (_name, fields, field) => {
  herald = await oneHerald();
  const text = `{"v":1,"gateway":"gw-1","url":"ws://127.0.0.1:7410/ws","seq":1,${fields}}`;
  const { status, headers, body } = await send(feedback(), text);
  expect(status).toBe(400);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({ field, received: expect.any(String), expected: expect.any(String) });
  expect(body.detail).toContain(body.expected);
  expect(await stateOf(herald, 'gw-1')).toBe('absent');
});

test.each([
  ['no version', { v: undefined }, 'v'],
  ['another version', { v: 2 }, 'v'],
  ['no gateway', { gateway: undefined }, 'gateway'],
  ['a gateway of 200 characters', { gateway: 'g'.repeat(200) }, 'gateway'],
  ['a gateway with a header in it', { gateway: 'a\r\nx: y' }, 'gateway'],
  ['no URL', { url: undefined }, 'url'],
  ['an http URL', { url: 'http://127.0.0.1/' }, 'url'],
  ['a URL with a password', { url: 'ws://me:you@127.0.0.1/' }, 'url'],
  ['a URL with a quote', { url: 'ws://127.0.0.1/"x' }, 'url'],
  ['no seq', { seq: undefined }, 'seq'],
  ['a seq beyond 2^53', { seq: 2 ** 60 }, 'seq'],
] as [string, Record<string, unknown>, string][])('refuses %s', async (_name, more, field) => {
  herald = await oneHerald();
  const { status, body } = await send(feedback(), report('gw-1', more));
  expect({ status, field: body.field }).toEqual({ status: 400, field });
});

test('takes nothing of an array with one bad report', async () => {
  herald = await oneHerald();
  const { status, body } = await feed(herald, report('gw-1'), report('gw-2', { cpu: -1 }), report('gw-3'));
  expect({ status, field: body.field }).toEqual({ status: 400, field: '[1].cpu' });
  expect((await ask(`${herald.addresses.admin}/v1/table`)).body.gateways).toEqual([]);
});

test('refuses bodies that are too large, too many, not JSON or not said to be', async () => {
  herald = await oneHerald();
  const large = await send(feedback(), report('gw-1', { pad: 'x'.repeat(1_048_576) }));
  expect(large).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
  const many = await send(
    feedback(),
    Array.from({ length: 257 }, (_, i) => ({ seq: i })),
  );
  expect(many).toMatchObject({ status: 413, body: { code: 'too-many-reports' } });
  for (const text of ['', '{', 'null', '7', '"x"', '[[]]', '\u0000', '{"a":'.repeat(20_000)]) {
    expect({ text: text.slice(0, 9), status: (await send(feedback(), text)).status }).toEqual({
      text: text.slice(0, 9),
      status: 400,
    });
  }
  const form = await send(feedback(), report('gw-1'), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  expect(form).toMatchObject({
    status: 415,
    body: { code: 'json-required', detail: 'content-type: expected application/json' },
  });
  const page = await send(feedback(), report('gw-1'), { origin: 'https://evil.example' });
  expect(page).toMatchObject({ status: 403, body: { code: 'no-browsers' } });
  expect((await ask(`${herald.addresses.admin}/v1/table`)).body.gateways).toEqual([]);
});

test('does not take a replayed report, and says so', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1', { seq: 5, cpu: 0.5 }));
  const again = await send(feedback(), report('gw-1', { seq: 5, cpu: 0 }));
  expect(again).toMatchObject({ status: 200, body: { accepted: 0, refused: { 'old-seq': 1 } } });
  const { body } = await ask(`${herald.addresses.admin}/v1/gateways/gw-1`);
  expect(body.reportedScore).toBe(0.5);
});

test('hands out no URL that config does not allow', async () => {
  herald = await oneHerald({ allowedUrls: ['wss://*.example.net/ws', 'ws://127.0.0.1:*/*'] });
  for (const url of ['wss://evil.example/ws', 'wss://a/b.example.net/ws', 'ws://gw.example.net/ws']) {
    const { status, body } = await send(feedback(), report('gw-1', { url }));
    expect({ url, status, code: body.code }).toEqual({ url, status: 403, code: 'url-refused' });
  }
  expect((await send(feedback(), report('gw-1', { url: 'wss://a.example.net/ws' }))).status).toBe(200);
});

test('suspects a gateway at once when its report connection closes without a goodbye', async () => {
  herald = await oneHerald();
  const connection = new Client(herald.addresses.control);
  const post = async (seq: number): Promise<void> => {
    const body = JSON.stringify(report('gw-1', { seq }));
    const headers = { 'content-type': 'application/json' };
    const answer = await connection.request({ method: 'POST', path: '/v1/feedback', headers, body });
    await answer.body.dump();
  };
  await post(1);
  await post(2);
  expect(await stateOf(herald, 'gw-1')).toBe('up');
  const closedMs = performance.now();
  await connection.destroy();
  await expect.poll(() => stateOf(herald, 'gw-1'), { interval: 5, timeout: 1_000 }).toBe('suspect');
  expect(performance.now() - closedMs).toBeLessThan(1_000);
  expect((await ask(`${herald.addresses.public}/v1/lookup`)).status).toBe(503);
  await feed(herald, report('gw-1', { seq: 3 }));
  expect(await stateOf(herald, 'gw-1')).toBe('up');
});

test('keeps a script that opens one connection a report', async () => {
  herald = await oneHerald();
  for (const seq of [1, 2, 3]) {
    const connection = new Client(herald.addresses.control);
    const body = JSON.stringify(report('gw-1', { seq }));
    const headers = { 'content-type': 'application/json' };
    const answer = await connection.request({ method: 'POST', path: '/v1/feedback', headers, body });
    await answer.body.dump();
    await connection.close();
  }
  // Another round trip after the close, so that Herald has seen it.
  await ask(`${herald.addresses.control}/v1/brokers`);
  expect(await stateOf(herald, 'gw-1')).toBe('up');
});

test('stops naming a gateway that says goodbye', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'), report('gw-2'));
  const goodbye = await fetch(`${feedback()}/gw-1`, { method: 'DELETE' });
  expect(goodbye.status).toBe(204);
  // Not a suspect: were it one, many goodbyes would freeze the pool.
  expect(await stateOf(herald, 'gw-1')).toBe('draining');
  for (let i = 0; i < 20; i++) {
    expect((await ask(`${herald.addresses.public}/v1/lookup`)).body.gateway).toBe('gw-2');
  }
});

test('keeps a list of brokers that announce themselves', async () => {
  // A clock that stands: how long a broker is silent is then the same in every run.
  herald = await oneHerald({}, { ...systemClock, nowMs: () => 1_000 });
  const at = `${herald.addresses.control}/v1/brokers`;
  const broker = {
    id: 'broker-1',
    publish: 'tcp://127.0.0.1:7420',
    subscribe: 'tcp://127.0.0.1:7430',
    repair: 'tcp://127.0.0.1:7440',
    http: 'http://127.0.0.1:7450',
    epoch: '9f',
    state: 'up',
  };
  expect((await send(at, broker)).body).toEqual({ brokers: [{ ...broker, silentMs: 0 }] });
  expect((await ask(at)).body).toMatchObject({ brokers: [broker] });
  expect((await feed(herald, report('gw-1'))).body.brokers).toMatchObject([broker]);
  expect((await send(at, { ...broker, publish: 'file:///etc/passwd' })).body.field).toBe('publish');
  expect((await send(at, { ...broker, id: '../x' })).body.field).toBe('id');
  expect((await fetch(`${at}/broker-1`, { method: 'DELETE' })).status).toBe(204);
  expect((await ask(at)).body).toEqual({ brokers: [] });
});
