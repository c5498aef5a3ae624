import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../launch/free-port.ts';
import type { OneHerald } from './one-herald.ts';
import { ask, feed, oneHerald, report, send } from './one-herald.ts';

let herald: OneHerald;
afterEach(() => herald.close());

const FULL_LINE = /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( # [\x20-\x7e]+)?\n$/;

function dial(port = Number(herald.addresses.agent.split(':')[1])): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** What the agent says to `chunks`, sent one after the other, until it closes. */
async function agentSays(...chunks: string[]): Promise<string> {
  return heard(dial(), ...chunks);
}

async function heard(socket: Socket, ...chunks: string[]): Promise<string> {
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString()));
  for (const chunk of chunks) {
    await new Promise((resolve) => {
      socket.write(chunk, resolve);
    });
  }
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

test('answers one full line for a server or a gateway id, also byte by byte', async () => {
  herald = await oneHerald();
  await feed(herald, report('gw-1', { cpu: 0.4 }));
  for (const chunks of [
    ['be/gw-1\n'],
    ['gw-1\n'],
    ['gw-1\r\n'],
    Array.from('be/gw-1\n'),
    ['be/gw-1\nbe/gw-2\n'],
  ]) {
    const answer = await agentSays(...chunks);
    expect(answer).toMatch(FULL_LINE);
    expect(answer).toMatch(/^ready up /);
  }
});

test('gives the emptier gateway more weight, never nothing to a full one', async () => {
  herald = await oneHerald();
  await feed(herald, report('idle', { cpu: 0.1 }), report('busy', { cpu: 0.8 }), report('over', { cpu: 3 }));
  const weights = async (): Promise<number[]> =>
    Promise.all(
      ['idle', 'busy', 'over'].map(async (id) => Number(/(\d+)%/.exec(await agentSays(`${id}\n`))?.[1])),
    );
  await expect.poll(weights, { timeout: 4_000 }).toSatisfy(([idle, busy, over]: number[]) => {
    return idle! > busy! && busy! > over! && over! >= 1;
  });
});

test('says drain, maint, stale and unknown in words', async () => {
  herald = await oneHerald({ staleAfterMs: 600, periodMs: 100 });
  const gateways = ['gw-1', 'gw-2', 'gw-3', 'gw-4', 'gw-5', 'gw-6'];
  let seq = 1;
  const feedAllBut = (silent: string): Promise<unknown> =>
    feed(
      herald,
      ...gateways.filter((id) => id !== silent).map((id) => report(id, { seq: ++seq, periodMs: 100 })),
    );
  await feedAllBut('');
  await send(`${herald.addresses.admin}/v1/gateways/gw-1/drain`, {});
  await send(`${herald.addresses.admin}/v1/gateways/gw-2/maint`, {});
  await feed(herald, report('gw-3', { seq: 1_000, state: 'draining', periodMs: 100 }));
  expect(await agentSays('gw-1\n')).toMatch(/^drain up \d+%/);
  expect(await agentSays('gw-2\n')).toMatch(/^maint up \d+%/);
  expect(await agentSays('gw-3\n')).toMatch(/^drain up \d+%/);
  const alive = setInterval(() => void feedAllBut('gw-4'), 100);
  await expect.poll(() => agentSays('gw-4\n'), { timeout: 5_000 }).toMatch(/^ready down \d+% # .*\n$/);
  clearInterval(alive);
  await expect
    .poll(() => agentSays('nobody\n'), { timeout: 6_000 })
    .toMatch(/^ready down \d+% # .*unknown.*\n$/);
});

test('is neutral right after the start, before anybody could have reported', async () => {
  herald = await oneHerald();
  expect(await agentSays('be/gw-1\n')).toMatch(/^ready up 100% # .*start/);
});

test('is neutral as long as it knows no gateway at all: it may be the one that is cut off', async () => {
  herald = await oneHerald({ staleAfterMs: 200, expireAfterMs: 1_000, periodMs: 50 });
  await expect
    .poll(() => agentSays('be/gw-1\n'), { timeout: 5_000 })
    .toBe('ready up 100% # herald knows no gateway\n');
  expect((await ask(`${herald.addresses.public}/readyz`)).status).toBe(503);
  await feed(herald, report('gw-2', { periodMs: 60_000 }));
  await expect
    .poll(() => agentSays('be/gw-1\n'), { timeout: 5_000 })
    .toBe('ready down 1% # unknown gateway\n');
});

test('is neutral on shutdown, but for what an operator wants', async () => {
  herald = await oneHerald({ agentFarewellMs: 2_500 });
  await feed(herald, report('gw-1', { cpu: 0.9 }), report('gw-2', { state: 'draining' }), report('gw-3'));
  await send(`${herald.addresses.admin}/v1/gateways/gw-3/maint`, {});
  expect(await agentSays('gw-2\n')).toMatch(/^drain/);
  const closing = herald.close();
  expect(await agentSays('gw-1\n')).toBe('ready up 100% # herald stopping\n');
  expect(await agentSays('gw-2\n')).toBe('ready up 100% # herald stopping\n');
  expect(await agentSays('gw-3\n')).toMatch(/^maint up/);
  await closing;
});

test('cuts whoever is slow at one second, sends nothing to who speaks nonsense', async () => {
  herald = await oneHerald();
  const startMs = performance.now();
  expect(await agentSays('be/gw')).toBe('');
  const tookMs = performance.now() - startMs;
  expect(tookMs).toBeGreaterThan(900);
  expect(tookMs).toBeLessThan(1_800);
  for (const bad of ['\n', 'a b\n', 'a/b/c\n', `${'a'.repeat(200)}\n`, 'x'.repeat(5_000), '\u0000\n']) {
    expect(await agentSays(bad)).toBe('');
  }
});

test('a peer that never closes its side is cut too', async () => {
  herald = await oneHerald();
  const port = Number(herald.addresses.agent.split(':')[1]);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  // A cut connection shows only to who writes: the next byte is answered by a reset.
  const drip = setInterval(() => socket.write('x'), 100);
  const answer = await heard(socket, 'gw-1\n');
  clearInterval(drip);
  expect(answer).toMatch(FULL_LINE);
});

test('speaks for one gateway on a port of its own, without being asked', async () => {
  const port = await freePort();
  herald = await oneHerald({ agentPorts: [`${port}=gw-1`], agentServers: ['be/web1=gw-1', 'web2=gw-1'] });
  await feed(herald, report('gw-1', { state: 'draining' }));
  expect(await heard(dial(port))).toMatch(/^drain up/);
  expect(await agentSays('be/web1\n')).toMatch(/^drain up/);
  expect(await agentSays('other/web2\n')).toMatch(/^drain up/);
  expect(await agentSays('other/web1\n')).not.toMatch(/^drain up/);
});

test('counts what it said', async () => {
  herald = await oneHerald();
  await agentSays('gw-1\n');
  await agentSays('\n');
  await ask(`${herald.addresses.public}/livez`);
  const totals = herald.metrics.counters().filter(({ name }) => name === 'herald.agent_checks');
  expect(totals.map(({ tags, total }) => [tags['outcome'], total])).toEqual([
    ['ready', 1],
    ['malformed', 1],
  ]);
});
