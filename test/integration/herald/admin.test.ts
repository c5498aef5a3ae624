import { request } from 'undici';
import { afterEach, expect, test } from 'vitest';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report, send } from './one-herald.ts';

let herald: OneHerald;
afterEach(() => herald.close());

const TOKEN = 'a token of sixteen';
const admin = (path: string): string => `${herald.addresses.admin}${path}`;

/** fetch does not let a caller choose Host; undici's request does. */
async function statusOf(
  path: string,
  headers: Record<string, string>,
  method: 'GET' | 'POST' = 'GET',
): Promise<number> {
  const answer = await request(admin(path), { method, headers, ...(method === 'POST' && { body: '{}' }) });
  await answer.body.dump();
  return answer.statusCode;
}

test('shows the load table, by pool and in the order asked for', async () => {
  herald = await oneHerald();
  await feed(herald, report('b', { cpu: 0.2 }), report('a', { cpu: 0.7 }), report('c', { pool: 'chat' }));
  const { body } = await ask(admin('/v1/table'));
  expect(body).toMatchObject({ heraldId: 'herald-1', policy: 'expected', frozen: false, degraded: [] });
  const names = (table: { gateways: { gateway: string }[] }): string[] =>
    table.gateways.map(({ gateway }) => gateway);
  expect(names(body)).toEqual(['a', 'b', 'c']);
  expect(names((await ask(admin('/v1/table?pool=default&order=reported'))).body)).toEqual(['a', 'b']);
  expect((await ask(admin('/v1/table?order=luck'))).body).toMatchObject({ status: 400, field: 'order' });
  expect((await ask(admin('/v1/gateways/b'))).body).toMatchObject({ gateway: 'b', reportedScore: 0.2 });
  expect((await ask(admin('/v1/gateways/bb'))).body.detail).toContain('did you mean b?');
});

test('drains, takes out of service and takes back, with reason, author and end', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'), report('gw-2'));
  const lookup = async (): Promise<string> =>
    (await ask(`${herald.addresses.public}/v1/lookup`)).body.gateway;

  const drained = await send(admin('/v1/gateways/gw-1/drain'), {
    reason: 'kernel',
    forMs: 60_000,
    author: 'ann',
  });
  expect(drained.body).toMatchObject({
    gateway: 'gw-1',
    shared: true,
    desired: { state: 'drain', reason: 'kernel', author: 'ann' },
  });
  expect((await ask(admin('/v1/gateways/gw-1'))).body.effectiveState).toBe('drain');
  for (let i = 0; i < 20; i++) expect(await lookup()).toBe('gw-2');

  await send(admin('/v1/gateways/gw-2/maint'), {});
  expect((await ask(`${herald.addresses.public}/v1/lookup`)).status).toBe(503);
  await send(admin('/v1/gateways/gw-2/ready'), { reason: 'done' });
  for (let i = 0; i < 20; i++) expect(await lookup()).toBe('gw-2');

  const { body } = await ask(admin('/v1/audit'));
  expect(body.actions.map((one) => [one.action, one.author])).toEqual([
    ['ready', '127.0.0.1'],
    ['maint', '127.0.0.1'],
    ['drain', 'ann'],
  ]);
});

test('tells the gateway what is wanted of it with its next report', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'));
  await send(admin('/v1/gateways/gw-1/drain'), { reason: 'kernel' });
  const told = await feed(herald, report('gw-1', { seq: 2 }));
  expect(told.body.directive).toMatchObject({ drain: { reason: 'kernel' } });
});

test('refuses a wish it cannot read or for nobody', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'));
  const cases: [string, unknown, number][] = [
    ['/v1/gateways/gw-9/drain', {}, 404],
    ['/v1/gateways/gw-1/drain', '{', 400],
    ['/v1/gateways/gw-1/drain', [], 400],
    ['/v1/gateways/gw-1/drain', { forMs: -1 }, 400],
    ['/v1/gateways/gw-1/drain', { forMs: 1e15 }, 400],
    ['/v1/gateways/gw-1/drain', { reason: 'x'.repeat(201) }, 400],
    ['/v1/gateways/gw-1/drain', { reason: 'a\nb' }, 400],
    ['/v1/gateways/gw-1/drain', { reason: 'x'.repeat(50_000) }, 413],
    ['/v1/gateways/gw-1/explode', {}, 404],
  ];
  for (const [path, body, status] of cases) {
    expect({ path, status: (await send(admin(path), body)).status }).toEqual({ path, status });
  }
  expect((await ask(admin('/v1/gateways/gw-1'))).body.effectiveState).toBe('up');
});

test('changes nothing by GET, by form or for another origin', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'));
  const path = '/v1/gateways/gw-1/drain';
  expect((await ask(admin(path))).status).toBe(404);
  expect(await statusOf(path, { 'content-type': 'text/plain' }, 'POST')).toBe(415);
  const json = { 'content-type': 'application/json' };
  expect(await statusOf(path, { ...json, origin: 'https://evil.example' }, 'POST')).toBe(403);
  expect(await statusOf(path, { ...json, origin: 'null' }, 'POST')).toBe(403);
  expect((await ask(admin('/v1/gateways/gw-1'))).body.effectiveState).toBe('up');
  const { host } = new URL(herald.addresses.admin);
  expect(await statusOf(path, { ...json, origin: `http://${host}` }, 'POST')).toBe(200);
});

test('without a token, does not answer to a name it does not know', async () => {
  herald = await oneHerald({ adminHosts: ['herald.internal'] });
  expect(await statusOf('/v1/table', { host: 'evil.example:7403' })).toBe(421);
  expect(await statusOf('/v1/table', { host: 'herald.internal:7403' })).toBe(200);
  expect(await statusOf('/v1/table', { host: 'localhost:7403' })).toBe(200);
});

test('with a token, shows nothing and does nothing without it', async () => {
  herald = await oneHerald({ adminToken: TOKEN });
  await feed(herald, report('gw-1'));
  for (const path of [
    '/v1/table',
    '/v1/table/stream',
    '/v1/audit',
    '/metrics',
    '/v1/autoscale',
    '/v1/haproxy.cfg',
  ]) {
    expect({ path, status: await statusOf(path, {}) }).toEqual({ path, status: 401 });
    expect({ path, status: await statusOf(path, { authorization: `Bearer ${TOKEN}x` }) }).toEqual({
      path,
      status: 401,
    });
  }
  expect((await send(admin('/v1/gateways/gw-1/drain'), {})).status).toBe(401);
  expect(
    (await send(admin('/v1/gateways/gw-1/drain'), {}, { authorization: `Bearer ${TOKEN}` })).status,
  ).toBe(200);
  expect(await statusOf('/v1/table', { authorization: `Bearer ${TOKEN}`, host: 'any.example' })).toBe(200);
  expect(await statusOf('/', {})).toBe(200);
});

test('explains a lookup', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'), report('gw-2'));
  const { body } = await ask(`${herald.addresses.public}/v1/lookup`);
  const explained = await ask(admin(`/v1/explain/${body.lookupId}`));
  expect(explained.status).toBe(200);
  expect(JSON.stringify(explained.body)).toContain(body.gateway);
  expect((await ask(admin('/v1/explain/nothing'))).body.code).toBe('no-such-lookup');
  expect((await ask(admin('/v1/explain/herald-2.eu.abc.1f'))).body.detail).toMatch(/; ask herald-2\.eu$/);
});

test('streams the table as server-sent events, to a bounded number of watchers', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1'));
  const response = await fetch(admin('/v1/table/stream'));
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.split('event: table').length < 4) text += (await reader.read()).value ?? '';
  const table = JSON.parse(/data: (.*)\n/.exec(text)![1]!) as { gateways: { gateway: string }[] };
  expect(table.gateways[0]!.gateway).toBe('gw-1');

  const watchers = await Promise.all(Array.from({ length: 70 }, () => fetch(admin('/v1/table/stream'))));
  expect(watchers.filter(({ status }) => status === 200)).toHaveLength(63);
  expect(watchers.filter(({ status }) => status === 503)).toHaveLength(7);
  await Promise.all([reader.cancel(), ...watchers.map((one) => one.body?.cancel())]);
  await expect
    .poll(async () => {
      const one = await fetch(admin('/v1/table/stream'));
      await one.body?.cancel();
      return one.status;
    })
    .toBe(200);
});

test('gives metrics, advice on size and a HAProxy backend', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1', { cpu: 0.4, connections: 7 }));
  expect((await ask(admin('/v1/autoscale'))).body).toMatchObject({ current: 1, reason: expect.any(String) });
  await expect
    .poll(async () => (await ask(admin('/metrics'))).text, { timeout: 4_000 })
    .toMatch(/herald_gateway_reported_connections\{gateway="gw-1"\} 7/);
  const config = await ask(admin('/v1/haproxy.cfg?backend=chat'));
  expect(config.text).toContain('agent-send "chat/gw-1\\n"');
  expect((await ask(admin('/v1/haproxy.cfg?backend=a%0Ab'))).status).toBe(400);
  expect((await ask(admin('/v1/haproxy.cfg?pool=tpyo'))).body.code).toBe('no-such-pool');
});

test('serves the page under a policy that allows nothing from elsewhere', async () => {
  herald = await oneHerald();
  const page = await ask(admin('/'));
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const files = [...page.text.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => path!);
  expect(files.sort()).toEqual(['page/app.js', 'page/style.css']);
  for (const path of files) expect((await ask(admin(`/${path}`))).status).toBe(200);
  expect((await ask(admin('/page/..%2fops-page.js'))).body.code).toBe('no-such-route');
  expect(page.text).not.toMatch(/ style=| on\w+=/);
});
