// Our coordination on three real ZooKeeper servers: restarts, a killed leader, a frozen server, quorum lost
// and found, and the whole ensemble away.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Coordination } from '../../../src/cluster/coordination.ts';
import { zookeeperCoordination } from '../../../src/cluster/coordination-zookeeper.ts';
import { requireServer } from '../../launch/require-server.ts';
import { pause, until } from '../../launch/until.ts';
import type { ZookeeperEnsemble } from '../../launch/zookeeper.ts';
import { launchEnsemble } from '../../launch/zookeeper.ts';

const SESSION_TIMEOUT_MS = 3_000;

/** Writes without pause; tells how long the longest time without a good write was. */
function steadyWriter(
  one: Coordination,
  path: string,
): { stop(): Promise<{ written: number; gapMs: number }> } {
  const stopping = new AbortController();
  let written = 0;
  let gapMs = 0;
  const done = (async () => {
    let lastMs = performance.now();
    while (!stopping.signal.aborted) {
      const outcome = await one.put(path, String(written));
      if (outcome.ok) {
        written += 1;
        gapMs = Math.max(gapMs, performance.now() - lastMs);
        lastMs = performance.now();
      }
      await pause(10);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await done;
      return { written, gapMs };
    },
  };
}

describe.runIf(requireServer('zookeeper'))('coordination on an ensemble of three', () => {
  let ensemble: ZookeeperEnsemble;
  let one: Coordination;
  const states: string[] = [];

  beforeAll(async () => {
    ensemble = await launchEnsemble(3);
  });
  afterAll(() => ensemble.stop());
  beforeEach(async () => {
    await ensemble.ready();
    one = zookeeperCoordination({
      address: `${ensemble.address}/ensemble`,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    });
    states.splice(0);
    one.onState((state) => states.push(state));
    await until('a session', () => one.state() === 'up');
  });
  afterEach(() => one.close());

  it('keeps session, ephemeral and lease when the leader is killed, and writes again soon', async () => {
    const entry = one.ephemeral('/kill/me', 'here');
    const lease = one.lease('/kill/lease', 'me');
    await until('entry and lease', () => entry.state() === 'held' && lease.held());
    const epoch = lease.epoch();
    const session = one.snapshot().sessionId;
    const writer = steadyWriter(one, '/kill/steady');
    const leader = await ensemble.leader();
    await leader.kill();
    await until('a new leader', async () => {
      const modes = await Promise.all(ensemble.servers.filter((s) => s !== leader).map((s) => s.mode()));
      return modes.includes('leader');
    });
    await until('a write', async () => (await one.put('/kill/after', 'x')).ok);
    await leader.start();
    await ensemble.ready();
    await until('the entry', () => entry.state() === 'held');
    const { written, gapMs } = await writer.stop();
    expect(written).toBeGreaterThan(10);
    // Election (ticks of 500 ms here) and our own reconnection.
    expect(gapMs).toBeLessThan(8_000);
    expect(one.snapshot().sessionId).toBe(session);
    expect(one.snapshot().expiries).toBe(0);
    await until('the lease', () => lease.held());
    expect(lease.epoch()).toBe(epoch);
  });

  it('moves its session away from a frozen server within 1.5 timeouts', async () => {
    // Followers only: a frozen leader is replaced after ZooKeeper's own syncLimit, 5 s here, and until then no
    // server can confirm a session.
    const leader = await ensemble.leader();
    const followers = ensemble.servers.filter((server) => server !== leader);
    const mover = zookeeperCoordination({
      address: `${followers.map(({ address }) => address).join(',')}/ensemble`,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    });
    const moves: { tookMs: number; kept: boolean }[] = [];
    const good = ({ tookMs, kept }: (typeof moves)[number]): boolean =>
      kept && tookMs < 1.5 * SESSION_TIMEOUT_MS;
    try {
      await until('a session', () => mover.state() === 'up');
      // A busy machine can hold up the servers too: one quick move of three is proof that nothing waits longer.
      while (moves.length < 3 && !moves.some(good)) {
        const session = mover.snapshot().sessionId;
        const server = followers.find(({ address }) => address === mover.snapshot().server)!;
        const moved = (): boolean => mover.state() === 'up' && mover.snapshot().server !== server.address;
        server.freeze();
        const frozenMs = performance.now();
        try {
          await until('the move', moved, 15_000, 5);
          const tookMs = performance.now() - frozenMs;
          moves.push({ tookMs, kept: mover.snapshot().sessionId === session });
          await until('a write', async () => (await mover.put('/frozen', 'x')).ok, 20_000);
        } finally {
          server.thaw();
        }
        await ensemble.ready();
      }
    } finally {
      await mover.close();
    }
    expect(moves.some(good), JSON.stringify(moves)).toBe(true);
  });

  it('is away while there is no quorum, refuses at once, and is back within 2 s of it', async () => {
    const lost = ensemble.servers.slice(0, 2);
    let seen = '';
    one.watch('/quorum/watched', (found) => (seen = found?.data ?? ''));
    await one.put('/quorum/watched', 'before');
    await until('the entry', () => seen === 'before');
    for (const server of lost) await server.kill();
    await until('away', () => one.state() === 'away');
    const askedMs = performance.now();
    for (let i = 0; i < 100; i++) {
      const outcome = await one.put('/quorum/stale', 'x');
      expect(outcome.ok).toBe(false);
    }
    expect(performance.now() - askedMs).toBeLessThan(500);
    for (const server of lost) await server.start(false);
    await ensemble.ready();
    const quorumMs = performance.now();
    await until('a write', async () => (await one.put('/quorum/watched', 'after')).ok);
    await until('the watch', () => seen === 'after');
    expect(performance.now() - quorumMs).toBeLessThan(2_000);
    expect(await one.get('/quorum/stale')).toMatchObject({ ok: false, why: 'no-node' });
  });

  it('is back within 2 s after every server was stopped and started, a rolling restart included', async () => {
    const entry = one.ephemeral('/all/me', 'here');
    await until('the entry', () => entry.state() === 'held');
    for (const server of ensemble.servers) {
      await server.stop();
      await server.start();
      await ensemble.ready();
      await until('a write', async () => (await one.put('/all/rolling', server.address)).ok);
    }
    for (const server of ensemble.servers) await server.stop();
    await until('away', () => one.state() === 'away');
    await Promise.all(ensemble.servers.map((server) => server.start(false)));
    await ensemble.ready();
    const readyMs = performance.now();
    await until('a session', () => one.state() === 'up');
    await until('the entry', () => entry.state() === 'held');
    expect(performance.now() - readyMs).toBeLessThan(2_000);
  });

  it('compares times only within one leader: its clock epoch changes with it', async () => {
    const before = await one.put('/clock', 'a');
    const leader = await ensemble.leader();
    await leader.kill();
    await until('a write', async () => (await one.put('/clock', 'b')).ok, 20_000);
    const after = await one.put('/clock', 'c');
    await leader.start();
    if (!before.ok || !after.ok) throw new Error('a put failed');
    expect(after.value.clockEpoch).toBeGreaterThan(before.value.clockEpoch);
  });
});
