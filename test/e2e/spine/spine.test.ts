// The whole way on real parts: look up, connect, publish through the brokers, receive on every gateway.

import { spawn } from 'node:child_process';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../../src/client/index.ts';
import type { TableSnapshot } from '../../../src/herald/core/balancer-types.ts';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';
import { herald, startUp } from './running-up.ts';
import type { RunningUp } from './running-up.ts';

const MESSAGES = 1_000;

async function getJson(url: string): Promise<{ status: number; body: unknown }> {
  const reply = await request(url);
  return { status: reply.statusCode, body: await reply.body.json() };
}

describe('herald up', () => {
  let up: RunningUp;

  beforeAll(async () => {
    up = await startUp(['--no-bots', '--no-squeeze', '--restart-after', '1s']);
    await until(
      'three gateways in the table',
      async () => {
        const table = (await getJson(`${up.adminUrl}/v1/table`)).body as TableSnapshot;
        return table.gateways.filter(({ effectiveState }) => effectiveState === 'up').length === 3;
      },
      60_000,
    );
  });
  afterAll(() => up.stop());

  test('prints versions, mode and every URL', () => {
    const output = up.output();
    expect(output).toMatch(/Herald \d+\.\d+\.\d+ on Node \d+/);
    expect(output).toContain('embedded store, one Herald');
    for (const port of [up.ports.public, up.ports.control, up.ports.admin, up.ports.agent]) {
      expect(output).toContain(String(port));
    }
  });

  test('runs each daemon as a process of its own', () => {
    expect(up.pidsOf('serve')).toHaveLength(1);
    expect(up.pidsOf('gateway')).toHaveLength(3);
    expect(up.pidsOf('broker')).toHaveLength(2);
  });

  test(`delivers ${MESSAGES} messages to a subscriber of every gateway, in order and with none missing`, async () => {
    const gateways = new Set<string>();
    const received = new Map<string, number[]>();
    const clients: ReturnType<typeof connect>[] = [];
    const ids = ['gateway-1', 'gateway-2', 'gateway-3'];
    for (const id of ids) {
      const numbers: number[] = [];
      received.set(id, numbers);
      const client = connect({
        herald: [up.publicUrl],
        exclude: ids.filter((other) => other !== id),
        topics: ['e2e.numbers'],
        webSocket: WebSocket,
      });
      client.on('message', ({ data }) => numbers.push((data as { n: number }).n));
      clients.push(client);
      await until(`a client live on ${id}`, () => client.state.name === 'live', 60_000);
      if (client.state.name === 'live') gateways.add(client.state.gateway);
    }
    expect([...gateways].sort()).toEqual(ids);

    const publisher = await createPublisher({ heralds: [up.controlUrl] });
    await Promise.all(Array.from({ length: MESSAGES }, (_, n) => publisher.publish('e2e.numbers', { n })));
    await until(
      'every message on every gateway',
      () => [...received.values()].every((numbers) => numbers.length >= MESSAGES),
      60_000,
    );
    const expected = Array.from({ length: MESSAGES }, (_, n) => n);
    for (const numbers of received.values()) expect(numbers).toEqual(expected);
    await publisher.close();
    for (const client of clients) client.close();
  });

  test('answers a lookup with a gateway, alternates and a ticket', async () => {
    const reply = await getJson(`${up.publicUrl}/v1/lookup`);
    const body = reply.body as LookupReply;
    expect(reply.status).toBe(200);
    expect(body.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws$/);
    expect(body.alternates).toHaveLength(2);
    expect(body.ticket).toMatch(/^t1\./);
  });

  test('redirects to a gateway', async () => {
    const reply = await request(`${up.publicUrl}/v1/connect?location=ws`);
    await reply.body.dump();
    expect(reply.statusCode).toBe(302);
    expect(reply.headers['location']).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/ws/);
  });

  test('answers lookup, table and publish from a shell', () => {
    const lookup = herald('lookup', '--url', up.publicUrl, '-o', 'json');
    expect(lookup.status).toBe(0);
    expect((JSON.parse(lookup.stdout) as LookupReply).gateway).toMatch(/^gateway-/);
    const table = herald('table', '--admin', up.adminUrl);
    expect(table.stdout).toContain('gateway-3');
    const published = herald('publish', 'news', '{"a":1}', '--heralds', up.controlUrl);
    expect(published.stderr).toBe('');
    expect(published.stdout).toBe('published 1 to news\n');
  });

  test('prints what a shell subscribed to', async () => {
    const child = spawn(process.execPath, [
      HERALD_BIN,
      'subscribe',
      'shell.news',
      '--count',
      '1',
      '--url',
      up.publicUrl,
    ]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until('the subscriber to be live', () => stderr.includes('"live"'), 60_000);
    const flags = ['--heralds', up.controlUrl, '--trace', '--admin', up.adminUrl];
    const published = herald('publish', 'shell.news', '{"hello":"world"}', ...flags);
    expect(published.stdout).toMatch(
      /^published 1 to shell.news\ntrace p-\w+:0\ngateway .* total ms {2}subscribers\ngateway-\d( +-?\d+\.\d\d){6} +1\n$/,
    );
    expect(await exited).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ topic: 'shell.news', data: { hello: 'world' } });
  });

  test('says which port is busy when it is started twice', () => {
    const { status, stderr } = herald('up', '--port-offset', String(up.offset), '--no-bots');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^herald: herald-1: 127\.0\.0\.1:\d+ is in use by .+ \(pid \d+\); move all ports with --port-offset 100\n$/,
    );
  });

  test('explains a lookup', async () => {
    const body = (await getJson(`${up.publicUrl}/v1/lookup`)).body as LookupReply;
    const explained = herald('explain', body.lookupId, '--admin', up.adminUrl);
    expect(explained.stderr).toBe('');
    expect(explained.stdout).toContain(body.gateway);
  });

  test('starts a child again that died, and clients are sent there again', async () => {
    const [killed] = up.pidsOf('gateway-2');
    process.kill(killed!, 'SIGKILL');
    await until(
      () => up.output(),
      () => up.output().includes('gateway-2 is back'),
      30_000,
    );
    expect(up.output()).toContain('gateway-2 ended: SIGKILL; starting it again in 1 s');
    const [started] = up.pidsOf('gateway-2');
    expect(started).not.toBe(killed);

    const client = connect({
      herald: [up.publicUrl],
      exclude: ['gateway-1', 'gateway-3'],
      topics: ['e2e.again'],
      webSocket: WebSocket,
    });
    const received: unknown[] = [];
    client.on('message', ({ data }) => received.push(data));
    await until(
      () => JSON.stringify(client.state),
      () => client.state.name === 'live',
      30_000,
    );
    expect(client.state).toMatchObject({ gateway: 'gateway-2' });
    herald('publish', 'e2e.again', '7', '--heralds', up.controlUrl);
    await until('a message from the new gateway', () => received.length > 0, 60_000);
    expect(received).toEqual([7]);
    client.close();
  });

  test('says on one line that no Herald answers', () => {
    const { status, stderr } = herald('lookup', '--url', 'http://127.0.0.1:9');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^herald: no Herald answers at http:\/\/127\.0\.0\.1:9 \(.*\); start one with "herald up"\n$/,
    );
  });
});
