// `herald gateway --workers N` as users run it: one process a worker, each a row of its own in the load table.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { loadConfig } from '../../../src/daemon/config.ts';
import { gatewayOptions } from '../../../src/gateway/config/gateway-options.ts';
import { workerFlags } from '../../../src/cli/workers.ts';
import { TestClient } from '../../launch/gateway.ts';
import type { HeraldProcess } from '../../launch/herald-process.ts';
import {
  ANY_PORT,
  HERALD_BIN,
  HERALD_ON_ANY_PORTS,
  startHeraldProcess,
} from '../../launch/herald-process.ts';
import { startChild } from '../../launch/child.ts';
import { until } from '../../launch/until.ts';

const running: HeraldProcess[] = [];
const start = async (...given: Parameters<typeof startHeraldProcess>): Promise<HeraldProcess> => {
  const made = await startHeraldProcess(...given);
  running.push(made);
  return made;
};
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const runs = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

interface Row {
  gateway: string;
  url: string;
  effectiveState: string;
}

it('gives each worker a process and a row, starts again one that dies, and ends them all', async () => {
  const herald = await start('serve', {
    id: 'herald-1',
    ...HERALD_ON_ANY_PORTS,
    'period-ms': 200,
  });
  const rows = async (): Promise<Row[]> => {
    const reply = await fetch(`${herald.addresses['admin']}/v1/table`);
    const { gateways } = (await reply.json()) as { gateways: Row[] };
    return gateways.filter(({ effectiveState }) => effectiveState === 'up');
  };
  const fleet = await start('gateway', {
    workers: 2,
    id: 'gw',
    listen: ANY_PORT,
    heralds: herald.addresses['control']!,
    'shutdown-spread-ms': 100,
  });
  const named = await until<Row[] | undefined>('two rows', async () => {
    const found = await rows();
    return found.length === 2 ? found : undefined;
  });
  expect(named.map(({ gateway }) => gateway).sort()).toEqual(['gw-1', 'gw-2']);
  expect(new Set(named.map(({ url }) => url)).size).toBe(2);
  for (const { gateway, url } of named) {
    const client = await TestClient.connect(url);
    expect(client.frames[0]).toMatchObject({ op: 'welcome', gateway });
  }

  const before = childrenOf(fleet.pid);
  expect(before).toHaveLength(2);
  process.kill(before[0]!, 'SIGKILL');
  await until('a worker in its place', () => {
    const now = childrenOf(fleet.pid);
    return now.length === 2 && !now.includes(before[0]!) && now.includes(before[1]!);
  });
  await until('two rows again', async () => (await rows()).length === 2, 30_000);

  const after = childrenOf(fleet.pid);
  fleet.signal('SIGTERM');
  await fleet.exited;
  expect(after.filter(runs)).toEqual([]);
});

it('lets clients move where every process is sent the signal, as systemd does', async () => {
  const fleet = await start('gateway', { workers: 2, listen: ANY_PORT, 'shutdown-spread-ms': 300 });
  const client = await TestClient.connect(fleet.addresses['worker1']!);
  for (const pid of [...childrenOf(fleet.pid), fleet.pid]) process.kill(pid, 'SIGTERM');
  await client.next('move');
  await until('the client to be let go', () => client.closed);
  expect(client.closed).toMatchObject({ code: 4204 });
  await fleet.exited;
});

it('ends its workers at once when it is told twice', async () => {
  const fleet = await start('gateway', { workers: 2, listen: ANY_PORT, 'shutdown-spread-ms': 60_000 });
  const children = childrenOf(fleet.pid);
  const client = await TestClient.connect(fleet.addresses['worker1']!);
  fleet.signal('SIGTERM');
  await client.next('move');
  fleet.signal('SIGTERM');
  await fleet.exited;
  await until('the workers to be gone', () => !children.some(runs));
});

it('says that a worker died, and ends one that is frozen', async () => {
  const fleet = await start('gateway', { workers: 2, listen: ANY_PORT, 'shutdown-spread-ms': 0 });
  const [first, second] = childrenOf(fleet.pid);
  process.kill(first!, 'SIGKILL');
  await until('its death to be told', () =>
    /"worker":1,"signal":"SIGKILL","againInMs":\d+,"event":"worker-ended"/.test(fleet.output()),
  );
  process.kill(second!, 'SIGSTOP');
  fleet.signal('SIGTERM');
  await fleet.exited;
  expect(fleet.output()).toContain('"event":"close-overdue"');
  expect(runs(second!)).toBe(false);
});

it('tries again when no process is to be had', async () => {
  const fleet = await start('gateway', { workers: 2, listen: ANY_PORT, 'shutdown-spread-ms': 0 });
  const [first] = childrenOf(fleet.pid);
  // No descriptor is left for the channel to a new worker.
  const limit = (now: number): void => {
    execFileSync('prlimit', ['--pid', String(fleet.pid), `--nofile=${now}:4096`]);
  };
  limit(8);
  process.kill(first!, 'SIGKILL');
  await until('a fork that fails', () => fleet.output().includes('EMFILE'));
  limit(4096);
  await until('a worker in its place', () => childrenOf(fleet.pid).length === 2, 20_000);
});

it('ends its workers when it is killed itself', async () => {
  const fleet = await start('gateway', { workers: 2, listen: ANY_PORT, 'shutdown-spread-ms': 0 });
  const children = childrenOf(fleet.pid);
  expect(children).toHaveLength(2);
  await fleet.kill();
  await until('all to end', () => !children.some(runs));
});

it('says in one line what keeps a worker from starting', async () => {
  const busy = await start('gateway', { listen: ANY_PORT });
  const listen = new URL(busy.addresses['http']!).host;
  const child = startChild(process.execPath, [
    // The second worker finds its own port free.
    ...[HERALD_BIN, 'gateway', '--workers', '2', '--listen', listen, '--heralds', ''],
  ]);
  expect(await child.exited).toBe(75);
  expect(child.stderr()).toMatch(new RegExp(`^herald: ${listen} is in use by .+--listen$`, 'm'));
});

it('refuses one URL for all workers', async () => {
  const child = startChild(process.execPath, [
    ...[HERALD_BIN, 'gateway', '--workers', '2', '--listen', ANY_PORT],
    ...['--url', 'wss://gateway.example.com/ws'],
  ]);
  expect(await child.exited).toBe(1);
  expect(child.stderr()).toContain('{worker}');
});

it('numbers ports, ids and URLs', () => {
  const config = {
    ...loadConfig(gatewayOptions, {}),
    id: 'gw',
    listen: '[::1]:7410',
    url: 'wss://g.example.com/{worker}/ws',
  };
  expect(workerFlags(config, 2)).toEqual([
    ...['--workers', '1', '--listen', '[::1]:7412', '--id', 'gw-3', '--url', 'wss://g.example.com/3/ws'],
  ]);
});
