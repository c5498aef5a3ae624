import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/daemon/clock.ts';
import { until } from '../../launch/until.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, oneHerald, report, send, stateOf } from './one-herald.ts';
import { nonceOf, signature, signedPost } from './signed.ts';

let herald: OneHerald;
afterEach(() => herald.close());

const SECRET = 'a secret of sixteen';
const feedback = (): string => `${herald.addresses.control}/v1/feedback`;

test('takes only what the gateway itself signed', async () => {
  herald = await oneHerald({ secret: SECRET });
  const unsigned = await send(feedback(), report('gw-1'));
  expect(unsigned.status).toBe(401);
  const nonce = unsigned.headers.get('herald-nonce') ?? '';
  expect(nonce).toBe(await nonceOf(herald));
  expect((await signedPost(herald, SECRET, 'gw-1', report('gw-1'))).body.accepted).toBe(1);

  const body = JSON.stringify(report('gw-1', { seq: 2 }));
  const cases: [string, Record<string, string>, number][] = [
    ['another secret', signature('another secret of 16', 'gw-1', nonce, body), 401],
    ['an old nonce', signature(SECRET, 'gw-1', 'f'.repeat(32), body), 401],
    ['another body', signature(SECRET, 'gw-1', nonce, `${body} `), 401],
    ['another gateway', signature(SECRET, 'gw-2', nonce, body), 403],
    ['nonsense', { 'herald-signature': 'x' }, 401],
  ];
  for (const [name, headers, status] of cases) {
    expect({ name, status: (await send(feedback(), body, headers)).status }).toEqual({ name, status });
  }
  expect((await signedPost(herald, SECRET, 'gw-2', [report('gw-2'), report('gw-3')])).status).toBe(403);
  expect((await fetch(`${feedback()}/gw-1`, { method: 'DELETE' })).status).toBe(401);
  const stranger = { method: 'DELETE', headers: signature(SECRET, 'gw-2', nonce, '') };
  expect((await fetch(`${feedback()}/gw-1`, stranger)).status).toBe(403);
  expect(await stateOf(herald, 'gw-1')).toBe('up');
  const own = { method: 'DELETE', headers: signature(SECRET, 'gw-1', nonce, '') };
  expect((await fetch(`${feedback()}/gw-1`, own)).status).toBe(204);
});

test('a recorded report is no goodbye, and a goodbye is said once', async () => {
  herald = await oneHerald({ secret: SECRET });
  const goodbye = async (headers: Record<string, string>, body?: string): Promise<number> =>
    (await fetch(`${feedback()}/gw-1`, { method: 'DELETE', headers, ...(body && { body }) })).status;
  const nonce = await nonceOf(herald);
  const body = JSON.stringify(report('gw-1'));
  const said = signature(SECRET, 'gw-1', nonce, body);
  expect((await send(feedback(), body, said)).status).toBe(200);
  expect(await goodbye({ ...said, 'content-type': 'application/json' }, body)).toBe(401);
  expect(await stateOf(herald, 'gw-1')).toBe('up');

  const own = signature(SECRET, 'gw-1', nonce, '');
  expect(await goodbye(own)).toBe(204);
  expect((await signedPost(herald, SECRET, 'gw-1', report('gw-1', { bootId: 'b2' }))).body.accepted).toBe(1);
  expect(await goodbye(own)).toBe(401);
  expect(await stateOf(herald, 'gw-1')).toBe('up');
});

test('a recorded report brings no gateway back that is forgotten', async () => {
  let passedMs = 0;
  herald = await oneHerald(
    { secret: SECRET },
    { ...systemClock, nowMs: () => systemClock.nowMs() + passedMs },
  );
  const nonce = await nonceOf(herald);
  const body = JSON.stringify(report('gw-1'));
  const said = signature(SECRET, 'gw-1', nonce, body);
  expect((await send(feedback(), body, said)).body.accepted).toBe(1);
  passedMs = 31_000;
  await until('the gateway to be forgotten', async () => (await stateOf(herald, 'gw-1')) === 'absent');
  const replay = await send(feedback(), body, said);
  expect(replay.status).toBe(401);
  expect(replay.headers.get('herald-nonce')).not.toBe(nonce);
  expect((await signedPost(herald, SECRET, 'gw-1', report('gw-1'))).body.accepted).toBe(1);
});

test('a recorded announcement brings no broker back that has said goodbye', async () => {
  herald = await oneHerald({ secret: SECRET });
  const at = `${herald.addresses.control}/v1/brokers`;
  const broker = {
    id: 'broker-1',
    epoch: 'e1',
    state: 'up',
    publish: 'tcp://127.0.0.1:7420',
    subscribe: 'tcp://127.0.0.1:7430',
    repair: 'tcp://127.0.0.1:7440',
    http: '',
  };
  const body = JSON.stringify(broker);
  const nonce = await nonceOf(herald);
  const said = signature(SECRET, 'broker-1', nonce, body);
  expect((await send(at, body, said)).status).toBe(200);
  const goodbye = { method: 'DELETE', headers: signature(SECRET, 'broker-1', nonce, '') };
  expect((await fetch(`${at}/broker-1?epoch=e1`, goodbye)).status).toBe(204);
  expect((await send(at, body, said)).status).toBe(401);
  expect((await ask(at)).body).toEqual({ brokers: [] });
});

test('a recorded report of an earlier boot changes nothing', async () => {
  herald = await oneHerald({ secret: SECRET });
  for (const boot of ['b1', 'b2', 'b3']) {
    await signedPost(herald, SECRET, 'gw-1', report('gw-1', { bootId: boot, seq: 1 }));
  }
  const replay = await signedPost(herald, SECRET, 'gw-1', report('gw-1', { bootId: 'b1', seq: 2, cpu: 0 }));
  expect(replay.body).toMatchObject({ accepted: 0, refused: { 'old-boot': 1 } });
  const brokers = await signedPost(herald, SECRET, 'b-1', { id: 'b-2' }, '/v1/brokers');
  expect(brokers.status).toBe(400);
});
