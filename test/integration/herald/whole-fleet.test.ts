// What docs/policy.md promises of a fleet, over HTTP with real reporters: many that die at once, advice on size,
// moves, recordings and explanations, and the commands that operators have for them.

import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { Clock } from '../../../src/daemon/clock.ts';
import { systemClock } from '../../../src/daemon/clock.ts';
import type { AutoscaleAdvice } from '../../../src/herald/core/balancer-types.ts';
import type { MoverView } from '../../../src/herald/http/mover-api.ts';
import type { Directive } from '../../../src/protocol/load-report.ts';
import type { ReplayResult } from '../../../src/sim/index.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';
import { ask, send } from './one-herald.ts';
import type { ReportedFleet } from './reported-fleet.ts';
import { reportedFleet } from './reported-fleet.ts';

const run = promisify(execFile);
const cli = async (...args: string[]): Promise<string> =>
  (await run(process.execPath, [HERALD_BIN, ...args])).stdout;

let fleet: ReportedFleet;
afterEach(() => fleet.close());

test('when most gateways die at once the table freezes; when a few do they are left out', async () => {
  fleet = await reportedFleet({ policy: 'round-robin' });
  for (const id of ['own-1', 'own-2']) await fleet.gateway(id, { cpu: 0.2 });
  await fleet.processOf(['gw-1', 'gw-2']);
  const few = await fleet.processOf(['gw-3']);
  const named = async (): Promise<Set<string>> => {
    const found = new Set<string>();
    for (let i = 0; i < 60; i++) found.add((await fleet.lookup()).gateway);
    return found;
  };
  const states = async (): Promise<Record<string, string>> => {
    const { gateways } = await fleet.asked<{ gateways: { gateway: string; effectiveState: string }[] }>(
      '/v1/table',
    );
    return Object.fromEntries(gateways.map((row) => [row.gateway, row.effectiveState]));
  };
  few.signal('SIGKILL');
  await until('gw-3 to be suspect', async () => (await states())['gw-3'] === 'suspect');
  expect((await fleet.asked<{ frozen: boolean }>('/v1/table')).frozen).toBe(false);
  expect(await named()).toEqual(new Set(['own-1', 'own-2', 'gw-1', 'gw-2']));

  const many = await fleet.processOf(['gw-5', 'gw-6', 'gw-7', 'gw-8', 'gw-9']);
  await until('gw-9 to be up', async () => (await states())['gw-9'] === 'up');
  many.signal('SIGKILL');
  await until('a frozen table', async () => (await fleet.asked<{ frozen: boolean }>('/v1/table')).frozen);
  const still = await named();
  for (const id of ['gw-5', 'gw-6', 'gw-7', 'gw-8', 'gw-9']) expect(still).toContain(id);
  // Health is worked out five times a second at most.
  await until('the alarm', async () =>
    (await fleet.asked<{ degraded: string[] }>('/v1/table')).degraded.some((one) => one.includes('frozen')),
  );
});

test('advice on size goes up with the load, and is scraped with the same figures', async () => {
  fleet = await reportedFleet();
  for (const id of ['a', 'b']) await fleet.gateway(id, { cpu: 0.85 });
  const advice = await until('advice', async () => {
    const found = await fleet.asked<AutoscaleAdvice>('/v1/autoscale');
    return found.desired > 2 ? found : undefined;
  });
  expect(advice).toMatchObject({ current: 2, target: 0.7 });
  expect(advice.loadAvg).toBeCloseTo(advice.loadSum / 2, 5);
  await until('gauges', async () => {
    const { text } = await ask(fleet.admin('/metrics'));
    return (
      text.includes(`herald_size_desired{pool="default"} ${advice.desired}`) &&
      /herald_size_target/.test(text)
    );
  });
});

test('moves are decided and not ordered in a dry run, ordered when on, and stopped at once', async () => {
  // Ten times as fast as the wall, since a gateway is judged over three rounds of ten seconds.
  const fast: Clock = { nowMs: () => 10 * systemClock.nowMs(), epochMs: () => systemClock.epochMs() };
  fleet = await reportedFleet(
    { mover: 'dry-run', periodMs: 200, staleAfterMs: 200_000, expireAfterMs: 600_000 },
    fast,
  );
  const orders: Directive[] = [];
  const hot = await fleet.gateway(
    'hot',
    { cpu: 0.8 },
    { onDirective: (directive) => orders.push(directive) },
  );
  for (const id of ['cool-1', 'cool-2']) await fleet.gateway(id, { cpu: 0.2 });
  const view = (): Promise<MoverView> => fleet.asked<MoverView>('/v1/mover');
  const dry = await until('a dry order', async () => (await view()).orders[0], 30_000);
  expect(dry).toMatchObject({ gateway: 'hot', state: 'dry', why: 'donor', pool: 'default' });
  expect(orders).toEqual([]);

  expect(await cli('mover', 'on', '--admin', fleet.herald.addresses.admin)).toContain('pool default: on');
  await until('an order at the gateway', () => orders.length > 0, 30_000);
  expect(orders[0]).toMatchObject({ shed: { count: expect.any(Number), spreadMs: 9_000 } });
  await until('it to be taken', async () => (await view()).orders.some(({ state }) => state === 'taken'));

  const off = await send(fleet.admin('/v1/mover'), { mode: 'off', reason: 'enough', author: 'ann' });
  const stopped = JSON.parse(off.text) as MoverView;
  expect(stopped.modes).toEqual({ default: 'off' });
  expect(stopped.orders.filter(({ state }) => state === 'waiting')).toEqual([]);
  const before = orders.length;
  const ticks = stopped.orders.length;
  await hot({ cpu: 0.8 });
  expect({ orders: orders.length, decided: (await view()).orders.length }).toEqual({
    orders: before,
    decided: ticks,
  });
  expect((await ask(fleet.admin('/v1/audit'))).body.actions[0]).toMatchObject({
    action: 'mover off',
    author: 'ann',
  });
  expect((await send(fleet.admin('/v1/mover'), { mode: 'slow' })).body).toMatchObject({
    status: 400,
    field: 'mode',
  });
  expect((await send(fleet.admin('/v1/mover'), { mode: 'off', pool: 'x' })).body).toMatchObject({
    status: 404,
  });
});

test('a recording of it replays under other policies, and each lookup can be asked why', async () => {
  fleet = await reportedFleet();
  for (const [id, cpu] of [
    ['a', 0.1],
    ['b', 0.6],
  ] as const)
    await fleet.gateway(id, { cpu });
  const folder = await mkdtemp(join(tmpdir(), 'herald-record-'));
  const file = join(folder, 'traffic.ndjson');
  const recording = cli('record', file, '--for', '3s', '--admin', fleet.herald.addresses.admin);
  // A replay knows a gateway from its first report in the recording.
  await until('a report of each', async () => {
    const recorded = await readFile(file, 'utf8');
    return ['a', 'b'].every((id) => recorded.includes(`"gateway":"${id}"`));
  });
  let last = await fleet.lookup();
  const asking = setInterval(() => void fleet.lookup().then((reply) => (last = reply)), 20);
  await recording.finally(() => clearInterval(asking));
  expect(await recording).toMatch(/\d+ reports and lookups/);
  // What a recording looks like whose writer is still at it.
  await appendFile(file, '{"t":99999,"report":{"gatew');
  const out = await cli('sim', '--replay', file, '--policy', 'expected', 'round-robin', '-o', 'json');
  const results = JSON.parse(out) as ReplayResult[];
  expect(results.map(({ policy }) => policy)).toEqual(['expected', 'round-robin']);
  const [expected, turns] = results as [ReplayResult, ReplayResult];
  expect(expected.lookups).toBeGreaterThan(10);
  const shareOfA = ({ named }: ReplayResult): number => named['a']! / (named['a']! + (named['b'] ?? 0));
  // Of some hundred lookups, each of which draws a few gateways.
  expect(shareOfA(turns)).toBeLessThan(0.6);
  expect(shareOfA(expected)).toBeGreaterThan(0.65);
  await rm(folder, { recursive: true });

  const why = await cli('explain', last.lookupId, '--admin', fleet.herald.addresses.admin);
  expect(why).toContain(`lookup ${last.lookupId}`);
  for (const word of ['observed', 'young', 'pending', 'handshake', 'stale', 'breaker', '*  a']) {
    expect(why).toContain(word);
  }
});
