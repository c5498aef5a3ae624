import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { decodeTicket } from '../../../src/protocol/ticket.ts';
import { deriveKey } from '../../../src/daemon/secrets.ts';
import { verifyTicket } from '../../../src/daemon/ticket-key.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report } from './one-herald.ts';
import { signedPost } from './signed.ts';

let herald: OneHerald;
afterEach(() => herald.close());

test('names a gateway with a ticket only that gateway can verify', async () => {
  const secret = 'a secret of sixteen';
  herald = await oneHerald({ secret, id: 'herald-2' });
  const one = report('gw-1');
  await signedPost(herald, secret, 'gw-1', one);
  const { status, headers, body } = await ask(`${herald.addresses.public}/v1/lookup`);
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(body).toMatchObject({ gateway: 'gw-1', url: one['url'], alternates: [] });
  const ticket = decodeTicket(body.ticket);
  if (!ticket.ok) throw new Error('ticket does not decode');
  expect(ticket.value.heraldId).toBe('herald-2');
  expect(verifyTicket(deriveKey(secret, 'ticket', 'gw-1'), ticket.value)).toBe(true);
  expect(verifyTicket(deriveKey(secret, 'ticket', 'gw-2'), ticket.value)).toBe(false);
  const ttlMs = Date.parse(body.expiresAt) - Date.now();
  expect(ttlMs).toBeGreaterThan(25_000);
  expect(ttlMs).toBeLessThan(31_000);
});

test('gives the alternates asked for, each another gateway', async () => {
  herald = await oneHerald();
  await feed(herald, ...['gw-1', 'gw-2', 'gw-3', 'gw-4', 'gw-5'].map((id) => report(id)));
  const byDefault = await ask(`${herald.addresses.public}/v1/lookup`);
  const names = [byDefault.body, ...byDefault.body.alternates].map(
    (pick: { gateway: string }) => pick.gateway,
  );
  expect(names).toHaveLength(4);
  expect(new Set(names).size).toBe(4);
  expect((await ask(`${herald.addresses.public}/v1/lookup?n=0`)).body.alternates).toEqual([]);
});

test('obeys pool, label and exclude', async () => {
  herald = await oneHerald();
  await feed(
    herald,
    report('eu', { pool: 'chat', labels: { tier: 'gold' } }),
    report('us', { pool: 'chat' }),
  );
  const at = `${herald.addresses.public}/v1/lookup`;
  expect((await ask(`${at}?pool=chat&label=tier=gold`)).body.gateway).toBe('eu');
  expect((await ask(`${at}?pool=chat&exclude=eu`)).body.gateway).toBe('us');
  expect((await ask(at)).body).toMatchObject({ status: 503, refused: { pool: 2 } });
});

test('answers 503 with Retry-After and the reasons when nobody may take it', async () => {
  herald = await oneHerald();
  const empty = await ask(`${herald.addresses.public}/v1/lookup`);
  expect(empty.status).toBe(503);
  expect(empty.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(empty.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(empty.body).toMatchObject({ status: 503, type: expect.stringContaining(empty.body.code) });
  await feed(herald, report('gw-1', { state: 'draining' }), report('gw-2', { state: 'draining' }));
  const draining = await ask(`${herald.addresses.public}/v1/lookup`);
  expect(draining.body).toMatchObject({ code: 'none-eligible', refused: { draining: 2 } });
});

test('refuses a bad query by field, value and range', async () => {
  herald = await oneHerald();
  const bad: [string, string][] = [
    ['n=99', 'n'],
    ['n=1.5', 'n'],
    ['size=-1', 'size'],
    ['size=NaN', 'size'],
    ['pool=%00', 'pool'],
    ['label=nothing', 'label'],
    ['label=__proto__=x', 'label'],
    ['prefer=nothing', 'prefer'],
    ['exclude=a%20b', 'exclude'],
    ['intent=steal', 'intent'],
    [`key=${'k'.repeat(257)}`, 'key'],
  ];
  for (const [query, field] of bad) {
    const { status, body } = await ask(`${herald.addresses.public}/v1/lookup?${query}`);
    expect({ query, status, field: body.field }).toEqual({ query, status: 400, field });
  }
  const long = await ask(`${herald.addresses.public}/v1/lookup?key=${'k'.repeat(5_000)}`);
  expect(long.status).toBe(414);
  const huge = await ask(`${herald.addresses.public}/v1/lookup?key=${'k'.repeat(20_000)}`);
  expect(huge.status).toBe(431);
});

test('answers requests sent ahead in their order, each whole, and ends the connection when asked to', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'), report('gw-2'));
  const get = (target: string, version = '1.1', more = ''): string =>
    `GET ${target} HTTP/${version}\r\nHost: herald\r\n${more}\r\n`;
  const closing = get('/v1/lookup?n=0', '1.1', 'Connection: close\r\n');
  const ahead = [get('/v1/lookup'), get('/v1/lookup?pool=none'), get('/livez'), closing].join('');
  const answers = parseAnswers(await exchange(herald.addresses.public, ahead));
  expect(answers.map(({ status }) => status)).toEqual([200, 503, 200, 200]);
  expect(answers.map(({ body }) => body.alternates?.length)).toEqual([1, undefined, undefined, 0]);
  expect(answers.at(-1)!.head).toMatch(/^connection: close$/im);

  const [old] = parseAnswers(await exchange(herald.addresses.public, get('/v1/lookup', '1.0')));
  expect(old!.body.alternates).toHaveLength(1);
});

test('answers preflights, lets only listed origins read', async () => {
  herald = await oneHerald({ corsOrigins: ['https://app.example'] });
  const at = `${herald.addresses.public}/v1/lookup`;
  const mine = await fetch(at, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
  expect(mine.status).toBe(204);
  expect(mine.headers.get('access-control-allow-origin')).toBe('https://app.example');
  const other = await ask(at, { origin: 'https://evil.example' });
  expect(other.headers.get('access-control-allow-origin')).toBeNull();
});

test('says whether to ask it at all', async () => {
  herald = await oneHerald();
  expect((await ask(`${herald.addresses.public}/livez`)).status).toBe(200);
  const before = await ask(`${herald.addresses.public}/readyz`);
  expect(before).toMatchObject({
    status: 503,
    body: { status: 'unready', reason: 'no gateway has reported yet' },
  });
  await feed(herald, report('gw-1'));
  await expect
    .poll(async () => (await ask(`${herald.addresses.public}/readyz`)).status, { timeout: 3_000 })
    .toBe(200);
  expect((await fetch(`${herald.addresses.public}/readyz`, { method: 'HEAD' })).status).toBe(200);
});

test('answers anything else with a problem', async () => {
  herald = await oneHerald();
  for (const path of ['/', '/v1', '/v1/table', '/v1/feedback', '/metrics', '/v1/lookup/x']) {
    const { status, body } = await ask(`${herald.addresses.public}${path}`);
    expect({ path, status, code: body.code }).toEqual({ path, status: 404, code: 'no-such-route' });
  }
});

test('counts lookups by outcome and picks by gateway', async () => {
  herald = await oneHerald();
  await ask(`${herald.addresses.public}/v1/lookup`);
  await feed(herald, report('gw-1'));
  await ask(`${herald.addresses.public}/v1/lookup`);
  await ask(`${herald.addresses.public}/v1/lookup?n=x`);
  const totals = herald.metrics
    .counters()
    .map(({ name, tags, total }) => [name, ...Object.values(tags), total]);
  expect(totals).toContainEqual(['herald.lookups', 'ok', 1]);
  expect(totals).toContainEqual(['herald.lookups', 'invalid', 1]);
  expect(totals).toContainEqual(['herald.picks', 'gw-1', 1]);
  expect(totals).toContainEqual(['herald.reports', 'taken', 1]);
});

/** Sends `requests` in one piece and answers all that comes until the server ends the connection. */
async function exchange(url: string, requests: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(requests);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1') as AsyncIterable<string>) text += chunk;
  return text;
}

interface RawAnswer {
  status: number;
  head: string;
  body: { alternates?: unknown[] };
}

/** Cuts answers by their content-length; what is left over or missing fails. */
function parseAnswers(text: string): RawAnswer[] {
  if (text === '') return [];
  const headEnd = text.indexOf('\r\n\r\n');
  const head = text.slice(0, headEnd).replaceAll('\r', '');
  const bodyEnd = headEnd + 4 + Number(/content-length: (\d+)/i.exec(head)![1]);
  const body = JSON.parse(text.slice(headEnd + 4, bodyEnd)) as RawAnswer['body'];
  return [{ status: Number(head.split(' ')[1]), head, body }, ...parseAnswers(text.slice(bodyEnd))];
}
