// The lease of a process that was stopped and woken: it must know by itself, before it does anything, that
// its time is over, and the store must refuse what it had already decided to write.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import { requireServer } from '../../launch/require-server.ts';
import { startTcpProxy } from '../../launch/tcp-proxy.ts';
import { until } from '../../launch/until.ts';
import type { ZookeeperServer } from '../../launch/zookeeper.ts';
import { launchZookeeper } from '../../launch/zookeeper.ts';

describe.runIf(requireServer('zookeeper'))('the lease of a process cut off from the store', () => {
  let server: ZookeeperServer & { remove(): Promise<void> };
  beforeAll(async () => {
    server = await launchZookeeper();
  });
  afterAll(() => server.remove());

  const session = async (address: string): Promise<Coordination> => {
    const one = zookeeperCoordination({ address, sessionTimeoutMs: 2_000 });
    await until('a session', () => one.state() === 'up');
    return one;
  };

  it('ends by its own clock before the next one holds it, 3 times of 3', async () => {
    for (let round = 0; round < 3; round++) {
      const proxy = await startTcpProxy(server.port);
      const one = await session(proxy.address);
      const other = await session(server.address);
      const path = `/cut-${round}/mover`;
      const lease = one.lease(path, 'one');
      await until('the lease', () => lease.held());
      const next = other.lease(path, 'other');
      let overlap = false;
      const watching = setInterval(() => (overlap ||= lease.held() && next.held()), 1);
      // Even rounds see the connection go, odd ones only silence.
      if (round % 2 === 0) proxy.cut();
      else proxy.freeze();
      await until('the next holder', () => next.held(), 15_000, 1);
      clearInterval(watching);
      expect(overlap).toBe(false);
      expect(lease.held()).toBe(false);
      proxy.thaw();
      proxy.mend();
      await until('the old holder to be back', () => one.state() === 'up', 10_000);
      expect(await lease.put(`/cut-${round}/order`, 'late')).toMatchObject({ ok: false, why: 'fenced' });
      expect(await next.put(`/cut-${round}/order`, 'mine')).toMatchObject({ ok: true });
      await Promise.all([one.close(), other.close()]);
      await proxy.close();
    }
  });

  it('does not believe its lease after a jump of its clock, before any answer came', async () => {
    let jumpMs = 0;
    const one = zookeeperCoordination({
      address: server.address,
      sessionTimeoutMs: 2_000,
      nowMs: () => performance.now() + jumpMs,
    });
    await until('a session', () => one.state() === 'up');
    const lease = one.lease('/jump/mover', 'one');
    await until('the lease', () => lease.held());
    jumpMs = 30_000;
    expect(lease.held()).toBe(false);
    expect(lease.epoch()).toBe(0);
    // The session did live on here: the next answer of the server shows it.
    await until('the lease again', () => lease.held());
    await one.close();
  });
});
