// A real HAProxy fed by a real Herald, with the very backend that Herald writes for it.

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Haproxy } from '../../launch/haproxy.ts';
import { launchHaproxy } from '../../launch/haproxy.ts';
import { freePort } from '../../launch/free-port.ts';
import { requireServer } from '../../launch/require-server.ts';
import { until } from '../../launch/until.ts';
import type { OneHerald } from '../herald/one-herald.ts';
import { ask, oneHerald, send } from '../herald/one-herald.ts';
import type { MiniGateway } from './rig.ts';
import {
  becomes,
  connectMany,
  defaults,
  frontend,
  keepReporting,
  miniGateway,
  serverOf,
  shares,
} from './rig.ts';

interface Stage {
  herald: OneHerald;
  haproxy: Haproxy;
  gateways: MiniGateway[];
  port: number;
}

async function stage(loads: readonly number[]): Promise<Stage> {
  const herald = await oneHerald();
  onTestFinished(() => herald.close());
  const gateways = await Promise.all(loads.map((cpu, i) => miniGateway(`gw-${i + 1}`, cpu)));
  for (const gateway of gateways) onTestFinished(() => gateway.close());
  onTestFinished(keepReporting(gateways, () => [herald.addresses.control]));
  await until('all gateways in the table', async () => {
    const { body } = await ask(`${herald.addresses.admin}/v1/table`);
    return body.gateways.length === loads.length;
  });
  const { text } = await ask(`${herald.addresses.admin}/v1/haproxy.cfg?backend=chat`);
  const port = await freePort();
  const haproxy = await launchHaproxy(`${defaults()}${frontend(port, 'chat')}${text}`);
  onTestFinished(() => haproxy.stop());
  return { herald, haproxy, gateways, port };
}

/** Waits until HAProxy's weights stand still at what their loads deserve. */
async function settledWeights({ haproxy, gateways, herald }: Stage): Promise<Record<string, number>> {
  let before = '';
  await until(
    'the weights to settle',
    async () => {
      const { body } = await ask(`${herald.addresses.admin}/v1/table`);
      const wanted = body.gateways.map((row) => row.weightPercent);
      const real = await Promise.all(gateways.map(async ({ id }) => (await serverOf(haproxy, id)).weight));
      const same = JSON.stringify([wanted, real]);
      const settled = same === before && real.every((weight, i) => weight === wanted[i]);
      before = same;
      return settled;
    },
    20_000,
    1_200,
  );
  return Object.fromEntries(
    await Promise.all(gateways.map(async ({ id }) => [id, (await serverOf(haproxy, id)).weight] as const)),
  );
}

describe.runIf(requireServer('haproxy'))('HAProxy with agent-check', () => {
  test('sends WebSockets by the weights, within 10 %', async () => {
    const staged = await stage([0.1, 0.4, 0.7]);
    const weights = await settledWeights(staged);
    expect(weights['gw-1']).toBeGreaterThan(weights['gw-2']!);
    expect(weights['gw-2']).toBeGreaterThan(weights['gw-3']!);
    const sum = Object.values(weights).reduce((a, b) => a + b, 0);
    const opened = await connectMany(staged.port, 300);
    const got = shares(opened);
    for (const [id, weight] of Object.entries(weights)) {
      const due = weight / sum;
      expect(Math.abs((got[id] ?? 0) - due) / due, `${id}: due ${due}, got ${got[id]}`).toBeLessThan(0.1);
    }
    for (const { socket } of opened) socket.terminate();
  });

  // One stage for all that happens to a gateway: weights take seconds to settle.
  test('follows a gateway that is squeezed, drained and silent, and lets it return each time', async () => {
    const staged = await stage([0.2, 0.2, 0.2, 0.2]);
    const { haproxy, gateways, port } = staged;
    const before = await settledWeights(staged);

    const fellMs: number[] = [];
    for (const gateway of gateways.slice(0, 3)) {
      const halved = before[gateway.id]! / 2;
      gateway.cpu = 0.95;
      fellMs.push(await becomes(haproxy, gateway.id, 'lighter', ({ weight }) => weight < halved, 6_000));
      // Before another one is squeezed: a quarter was due.
      if (fellMs.length === 1) {
        const opened = await connectMany(port, 160);
        expect(shares(opened)[gateway.id] ?? 0).toBeLessThan(0.16);
        for (const { socket } of opened) socket.terminate();
      }
      gateway.cpu = 0.2;
    }
    for (const { id } of gateways) {
      await becomes(haproxy, id, 'back', ({ weight }) => weight >= before[id]! - 10, 10_000);
    }
    console.log(`weights halved after ${fellMs.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    expect(fellMs.toSorted((x, y) => x - y)[1]).toBeLessThan(2_000);

    // Drain keeps the sockets there are and sends no new ones.
    const early = await connectMany(port, 20);
    const held = early.filter(({ gateway }) => gateway === 'gw-1');
    expect(held.length).toBeGreaterThan(0);
    await send(`${staged.herald.addresses.admin}/v1/gateways/gw-1/drain`, { reason: 'deploy' });
    await becomes(haproxy, 'gw-1', 'draining', ({ status }) => status.includes('DRAIN'), 4_000);
    const late = await connectMany(port, 40);
    expect(Object.keys(shares(late)).sort()).toEqual(['gw-2', 'gw-3', 'gw-4']);
    for (const { socket } of held) {
      const echo = new Promise((resolve) =>
        socket.once('message', (data) => resolve((data as Buffer).toString())),
      );
      socket.send('still here');
      expect(await echo).toBe('still here');
    }
    await send(`${staged.herald.addresses.admin}/v1/gateways/gw-1/ready`, {});
    await becomes(haproxy, 'gw-1', 'up', ({ status, weight }) => status === 'UP' && weight > 0, 4_000);

    const [silent] = gateways as [MiniGateway];
    silent.silent = true;
    await becomes(haproxy, 'gw-1', 'down', ({ status }) => status.startsWith('DOWN'), 8_000);
    silent.silent = false;
    await becomes(haproxy, 'gw-1', 'up again', ({ status }) => status === 'UP', 8_000);
  });
});
