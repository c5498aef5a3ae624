// A Herald as it is run, on a real ZooKeeper: below a chroot, closed to strangers by digest, and alone with
// its snapshot when everything else is down.

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import type { Child } from '../../launch/child.ts';
import { startChild } from '../../launch/child.ts';
import { freePorts } from '../../launch/free-port.ts';
import { requireServer } from '../../launch/require-server.ts';
import { pause, until } from '../../launch/until.ts';
import type { ZookeeperServer } from '../../launch/zookeeper.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

interface Herald {
  child: Child;
  publicUrl: string;
  controlUrl: string;
  adminUrl: string;
  /** `/readyz` in words: its status and what is degraded. */
  health(): Promise<string>;
}

describe.runIf(requireServer('zookeeper'))('a Herald on ZooKeeper', () => {
  let server: ZookeeperServer & { remove(): Promise<void> };
  let folder: string;
  const children: Child[] = [];
  const open: Coordination[] = [];
  beforeAll(async () => {
    server = await launchZookeeper();
    folder = mkdtempSync(join(tmpdir(), 'herald-on-zookeeper-'));
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.stop(500)));
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const herald = async (id: string, more: readonly string[]): Promise<Herald> => {
    const at = (await freePorts(4)).map((port) => `127.0.0.1:${port}`) as [string, string, string, string];
    const listens = ['--public-listen', '--control-listen', '--admin-listen', '--agent-listen'];
    const child = startChild(process.execPath, [
      ...['dist/cli/main.js', 'serve', '--id', id, ...more],
      ...listens.flatMap((flag, i) => [flag, at[i]!]),
    ]);
    children.push(child);
    const [publicUrl, controlUrl, adminUrl] = at.map((address) => `http://${address}`) as [
      string,
      string,
      string,
    ];
    await until(`Herald ${id}`, async () => (await fetch(`${publicUrl}/livez`)).ok, 20_000);
    const health = async (): Promise<string> => {
      const reply = (await (await fetch(`${publicUrl}/readyz`)).json()) as {
        status: string;
        degraded: string[];
      };
      return `${reply.status} ${reply.degraded.join('; ')}`;
    };
    return { child, publicUrl, controlUrl, adminUrl, health };
  };
  const report = async ({ controlUrl }: Herald, gateway: string, seq: number): Promise<void> => {
    const url = `ws://127.0.0.1:7410/${gateway}`;
    const body = JSON.stringify({ v: 1, gateway, url, bootId: 'b', seq, periodMs: 500, cpu: 0.2 });
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${controlUrl}/v1/feedback`, { method: 'POST', headers, body });
    expect(reply.status, await reply.text()).toBe(200);
  };
  const shell = async (address: string, digest?: string): Promise<Coordination> => {
    const one = zookeeperCoordination({ address, ...(digest !== undefined && { digest }) });
    open.push(one);
    await until('a session', () => one.state() === 'up');
    return one;
  };
  /** Every path from `path` down. */
  const tree = async (one: Coordination, path: string): Promise<string[]> => {
    const names = await one.list(path);
    if (!names.ok) return [path];
    const below = names.value.map((name) => tree(one, path === '/' ? `/${name}` : `${path}/${name}`));
    return [path, ...(await Promise.all(below)).flat()];
  };

  it('keeps all it writes below the chroot, and closed to whoever lacks the digest', async () => {
    const address = `${server.address}/teams/edge`;
    const one = await herald('one', ['--zookeeper', address, '--zookeeper-auth', 'herald:secret']);
    const other = await herald('other', ['--zookeeper', address, '--zookeeper-auth', 'herald:secret']);
    let seq = 0;
    await until('the row of one at the other', async () => {
      await report(one, 'gw-1', ++seq);
      return (await fetch(`${other.adminUrl}/v1/gateways/gw-1`)).ok;
    });
    const drained = await fetch(`${one.adminUrl}/v1/gateways/gw-1/drain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'test', author: 'ann' }),
    });
    expect(drained.status).toBe(200);

    const root = await shell(server.address, 'herald:secret');
    const stranger = await shell(server.address);
    const thief = await shell(server.address, 'herald:wrong');
    const paths = (await tree(root, '/')).filter((path) => !/^\/(zookeeper.*)?$/.test(path));
    for (const path of paths) expect(path).toMatch(/^\/teams($|\/edge($|\/))/);
    for (const part of ['/heralds/one', '/heralds/other', '/desired/gw-1', '/lease/mover', '/clock']) {
      expect(paths).toContain(`/teams/edge/herald/main${part}`);
    }
    expect(paths.some((path) => path.includes('/table/'))).toBe(true);
    for (const path of paths) {
      expect(await stranger.get(path), path).toMatchObject({ ok: false, why: 'no-auth' });
      expect(await thief.put(path, 'x'), path).toMatchObject({ ok: false, why: 'no-auth' });
      expect(await root.get(path), path).toMatchObject({ ok: true });
    }
  });

  it('says in /readyz that the store refuses it, and answers lookups all the same', async () => {
    const address = `${server.address}/teams/closed`;
    const one = await herald('one', ['--zookeeper', address, '--zookeeper-auth', 'herald:secret']);
    await report(one, 'gw-1', 1);
    await until('its health', async () => (await one.health()) === 'ready ');
    const wrong = await herald('wrong', ['--zookeeper', address, '--zookeeper-auth', 'herald:typo']);
    await report(wrong, 'gw-1', 1);
    await until('the refusal', async () => /degraded .*no-auth/.test(await wrong.health()));
    expect((await fetch(`${wrong.publicUrl}/v1/lookup`)).status).toBe(200);
  });

  it('saves its table each second and answers from it, marked stale, when all else is down', async () => {
    const late = await launchZookeeper();
    const snapshot = join(folder, 'table.json');
    const flags = ['--zookeeper', late.address, '--snapshot-file', snapshot];
    const before = await herald('lone', flags);
    const saves = new Set<number>();
    const startMs = performance.now();
    for (let seq = 1; performance.now() - startMs < 4_500; seq++) {
      for (const gateway of ['gw-1', 'gw-2']) await report(before, gateway, seq);
      try {
        // Each save is a new file renamed over the old one.
        saves.add(statSync(snapshot).mtimeMs);
      } catch {
        // Not saved yet.
      }
      await pause(100);
    }
    expect(saves.size).toBeGreaterThanOrEqual(3);
    expect(saves.size).toBeLessThanOrEqual(6);
    expect(readFileSync(snapshot, 'utf8')).toContain('gw-2');

    before.child.signal('SIGKILL');
    await before.child.exited;
    await late.remove();
    const after = await herald('lone', flags);
    const answer = await until('an answer', async () => {
      const reply = await fetch(`${after.publicUrl}/v1/lookup`);
      return reply.ok ? ((await reply.json()) as { gateway: string; table: { ageMs: number } }) : undefined;
    });
    expect(['gw-1', 'gw-2']).toContain(answer.gateway);
    expect(answer.table.ageMs).toBeGreaterThan(2_000);
    expect(await after.health()).toMatch(/^degraded store: zookeeper connecting.*table frozen/);
    const table = (await (await fetch(`${after.adminUrl}/v1/table`)).json()) as {
      gateways: { effectiveState: string }[];
    };
    expect(table.gateways.map(({ effectiveState }) => effectiveState)).toEqual(['stale', 'stale']);
  });
});
