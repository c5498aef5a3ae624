// What happens when parts of `herald up` die: a gateway, the parent, and everything by Ctrl-C.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../../src/client/index.ts';
import type { LookupReply } from '../../../src/protocol/lookup.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { pause, until } from '../../launch/until.ts';
import { accepts, childrenOf, herald, isAlive, startUp } from './running-up.ts';
import type { RunningUp } from './running-up.ts';

const CLIENTS = 30;

async function lookup(up: RunningUp): Promise<LookupReply> {
  const reply = await request(`${up.publicUrl}/v1/lookup`);
  return (await reply.body.json()) as LookupReply;
}

test('a gateway that was killed is not named again, and its clients come back elsewhere', async () => {
  const up = await startUp(['--no-bots', '--no-squeeze', '--no-restart']);
  try {
    const received = new Map<number, Set<number>>();
    const clients = Array.from({ length: CLIENTS }, (_, index) => {
      const client = connect({ herald: [up.publicUrl], topics: ['after.death'], webSocket: WebSocket });
      received.set(index, new Set());
      client.on('message', ({ data }) => received.get(index)!.add(data as number));
      return client;
    });
    await until('all clients live', () => clients.every(({ state }) => state.name === 'live'), 60_000);
    // Whichever has most of them: right after their start gateways differ in load by chance.
    const homes = clients.map(({ state }) => (state.name === 'live' ? state.gateway : ''));
    const count = (id: string): number => homes.filter((home) => home === id).length;
    const victim = ['gateway-1', 'gateway-2', 'gateway-3'].reduce((a, b) => (count(b) > count(a) ? b : a));
    expect(count(victim)).toBeGreaterThanOrEqual(CLIENTS / 3);

    const [pid] = up.pidsOf(victim);
    process.kill(pid!, 'SIGKILL');
    const killedMs = performance.now();
    let lastNamedMs = 0;
    while (performance.now() - killedMs < 3_000) {
      const { gateway } = await lookup(up);
      if (gateway === victim) lastNamedMs = performance.now() - killedMs;
      await pause(25);
    }
    expect(lastNamedMs).toBeLessThan(2_000);
    await until(
      () => `all clients live elsewhere: ${JSON.stringify(clients.map(({ state }) => state))}`,
      () => clients.every(({ state }) => state.name === 'live' && state.gateway !== victim),
      // One whole Retry-After more than the first try: a crowded machine may refuse for a moment.
      45_000,
    );

    const publisher = await createPublisher({ heralds: [up.controlUrl] });
    for (let n = 0; n < 50; n++) await publisher.publish('after.death', n);
    await until(
      'all messages at all clients',
      () => [...received.values()].every((seen) => seen.size === 50),
      60_000,
    );
    await publisher.close();
    for (const client of clients) client.close();
  } finally {
    await up.stop();
  }
});

test('Ctrl-C stops everything within 5 s and leaves no process and no file', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'herald-spine-'));
  const up = await startUp(['--bots', '40', '--no-squeeze'], { TMPDIR: temporary });
  const children = childrenOf(up.child.pid!);
  expect(children.length).toBeGreaterThanOrEqual(7);
  const startedMs = performance.now();
  up.child.kill('SIGINT');
  const { code } = await up.exited;
  expect(performance.now() - startedMs).toBeLessThan(5_000);
  expect(code).toBe(0);
  expect(children.filter(isAlive)).toEqual([]);
  expect(await accepts(up.ports.public)).toBe(false);
  expect(readdirSync(temporary)).toEqual([]);
  rmdirSync(temporary);
});

test('children end by themselves when their parent is killed', async () => {
  const up = await startUp(['--bots', '10', '--no-squeeze']);
  const children = childrenOf(up.child.pid!);
  expect(children.length).toBeGreaterThanOrEqual(7);
  up.child.kill('SIGKILL');
  await until('all children to end', () => !children.some(isAlive), 8_000);
});

test('a busy port gives one line with the port, its owner and the flag', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  // Every other port is the kernel's choice: the usual ones may be taken by a platform that runs here.
  const others = ['control', 'admin', 'agent'].flatMap((name) => [`--${name}-listen`, '127.0.0.1:0']);
  const { status, stderr } = herald(
    'serve',
    ...['--public-listen', `127.0.0.1:${port}`, ...others, '--log-level', 'silent'],
  );
  await new Promise((resolve) => server.close(resolve));
  expect(status).toBe(75);
  expect(stderr).toMatch(
    new RegExp(
      `^herald: 127\\.0\\.0\\.1:${port} is in use by .+ \\(pid ${process.pid}\\); choose another with --public-listen\n$`,
    ),
  );
});

test('a fleet outlives a moment in which no process can be started', async () => {
  const few = ['--gateways', '1', '--brokers', '1', '--restart-after', '1s'];
  const up = await startUp(['--no-bots', '--no-squeeze', ...few]);
  try {
    const limit = (now: number): void => {
      execFileSync('prlimit', ['--pid', String(up.child.pid), `--nofile=${now}:4096`]);
    };
    limit(8);
    process.kill(up.pidsOf('gateway')[0]!, 'SIGKILL');
    await until('a start that fails', () => up.output().includes('gateway-1 cannot be started'));
    limit(4096);
    await until('its return', () => up.output().includes('gateway-1 is back'), 60_000);
  } finally {
    await up.stop();
  }
});
