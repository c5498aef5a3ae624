// One suite for what Heralds share, on memory and on a real ZooKeeper: the table, desired states, each
// other's addresses, brokers, the mover lease; while the store is there and while it is not.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { announceBroker } from '../../src/cluster/broker-registry.ts';
import type { Coordination } from '../../src/cluster/coordination.ts';
import { memoryEnsemble } from '../../src/cluster/coordination-memory.ts';
import { zookeeperCoordination } from '../../src/cluster/coordination-zookeeper.ts';
import type { Clock } from '../../src/daemon/clock.ts';
import type { TableRow } from '../../src/protocol/table-row.ts';
import { decodeTablePart, encodeTablePart } from '../../src/protocol/table-row.ts';
import { requireServer } from '../launch/require-server.ts';
import type { TcpProxy } from '../launch/tcp-proxy.ts';
import { startTcpProxy } from '../launch/tcp-proxy.ts';
import { pause, until } from '../launch/until.ts';
import { launchZookeeper } from '../launch/zookeeper.ts';
import type { Replica } from './load-store-replica.ts';
import { startReplica } from './load-store-replica.ts';

interface Link {
  coordination: Coordination;
  cut(): void;
  mend(): void;
}

interface Store {
  connect(): Promise<Link>;
  stop(): Promise<void>;
}

/** `fresh` gives each test an empty store. */
const stores: { name: string; run: boolean; fresh: () => Promise<() => Promise<Store>> }[] = [
  {
    name: 'memory',
    run: true,
    fresh: async () => async () => {
      const ensemble = memoryEnsemble();
      return {
        async connect() {
          const coordination = ensemble.connect();
          return { coordination, cut: () => coordination.goAway(), mend: () => coordination.comeBack() };
        },
        stop: async () => {},
      };
    },
  },
  {
    name: 'zookeeper',
    run: requireServer('zookeeper'),
    fresh: async () => {
      const server = await launchZookeeper();
      let round = 0;
      const store = async (): Promise<Store> => {
        const root = `/store-${++round}`;
        const proxies: TcpProxy[] = [];
        return {
          async connect() {
            const proxy = await startTcpProxy(server.port);
            proxies.push(proxy);
            const coordination = zookeeperCoordination({
              address: `${proxy.address}${root}`,
              sessionTimeoutMs: 3_000,
            });
            return { coordination, cut: () => proxy.cut(), mend: () => proxy.mend() };
          },
          async stop() {
            await Promise.all(proxies.map((proxy) => proxy.close()));
          },
        };
      };
      stopServer = () => server.remove();
      return store;
    },
  },
];
let stopServer: () => Promise<void> = async () => {};

for (const { name, run, fresh } of stores) {
  describe.runIf(run)(`load store on ${name}`, () => {
    let makeStore: () => Promise<Store>;
    let store: Store;
    const replicas: (Replica & Link)[] = [];
    const links: Link[] = [];

    beforeAll(async () => {
      makeStore = await fresh();
    });
    afterAll(() => stopServer());
    afterEach(async () => {
      for (const link of [...replicas, ...links]) link.mend();
      await Promise.all(replicas.splice(0).map((one) => one.stop()));
      await Promise.all(links.splice(0).map((one) => one.coordination.close()));
      await store.stop();
    });

    const link = async (): Promise<Link> => {
      const one = await store.connect();
      links.push(one);
      return one;
    };
    const herald = async (id: string, snapshotPath?: string): Promise<Replica & Link> => {
      const one = await store.connect();
      const replica = Object.assign(
        startReplica(one.coordination, id, snapshotPath === undefined ? {} : { snapshotPath }),
        one,
      );
      replicas.push(replica);
      return replica;
    };
    const heralds = async (...ids: string[]): Promise<(Replica & Link)[]> => {
      store = await makeStore();
      const all = await Promise.all(ids.map((id) => herald(id)));
      await until('all to know each other', () =>
        all.every((one) => one.heralds.length === ids.length && one.store.state().problem === undefined),
      );
      return all;
    };
    const parts = async (one: Link): Promise<Map<string, string[]>> => {
      const names = await one.coordination.list('/herald/test/table');
      const found = new Map<string, string[]>();
      for (const part of names.ok ? names.value : []) {
        const entry = await one.coordination.get(`/herald/test/table/${part}`);
        const decoded = entry.ok ? decodeTablePart(JSON.parse(entry.value.data)) : undefined;
        if (decoded?.ok)
          found.set(
            part,
            decoded.value.rows.map((row) => row.gateway),
          );
      }
      return found;
    };

    it('shows a gateway that reports to one Herald at every Herald, with its true age', async () => {
      const [a, b, c] = await heralds('a', 'b', 'c');
      for (let gateway = 0; gateway < 6; gateway++) a!.report(`gw-${gateway}`, 1);
      const reportedMs = performance.now();
      // Those that b or c are home for wait until their home copy counts as old.
      await until(
        'all six everywhere',
        () => [b!, c!].every((one) => one.balancer.rows(0).length === 6),
        8_000,
      );
      const ageMs = performance.now() - reportedMs;
      for (const one of [b!, c!]) {
        const row = one.row('gw-0');
        expect(row).toMatchObject({ bootId: 'boot-1', seq: 1, url: 'ws://127.0.0.1:7410/gw-0' });
        expect(Math.abs(row!.ageMs - ageMs)).toBeLessThan(300);
      }
    });

    it('writes each row once, at its home, when every Herald hears every gateway', async () => {
      const all = await heralds('a', 'b', 'c');
      const beat = async (rounds: number, firstSeq: number): Promise<void> => {
        for (let round = 0; round < rounds; round++) {
          for (const one of all) for (let g = 0; g < 30; g++) one.report(`gw-${g}`, firstSeq + round);
          await pause(250);
        }
      };
      await beat(14, 1);
      const written = await parts(all[0]!);
      const rows = [...written.values()].flat();
      expect(rows.length).toBe(30);
      expect(new Set(rows).size).toBe(30);
      expect(written.size).toBe(3);
    });

    it('cuts a large table into parts of at most 256 KB that another Herald reads in full', async () => {
      const [a] = await heralds('a');
      const labels = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`label-${i}`, 'x'.repeat(20)]));
      for (let g = 0; g < 2_500; g++) a!.report(`gw-${g}`, 1, { labels });
      await until(
        'all rows',
        async () => [...(await parts(a!)).values()].flat().length === 2_500,
        15_000,
        200,
      );
      const names = await a!.coordination.list('/herald/test/table');
      for (const part of names.ok ? names.value : []) {
        const entry = await a!.coordination.get(`/herald/test/table/${part}`);
        expect(entry.ok && Buffer.byteLength(entry.value.data)).toBeLessThanOrEqual(256 * 1024);
      }
      expect(names.ok && names.value.length).toBeGreaterThan(3);
      const late = await herald('late');
      await until('all rows at the late one', () => late.balancer.rows(0).length === 2_500);
    });

    it('lets the newer report win and never goes back', async () => {
      const [a, b] = await heralds('a', 'b');
      a!.report('gw-1', 5, { cpu: 0.5 });
      b!.report('gw-1', 7, { cpu: 0.7 });
      await until('the newer one at a', () => a!.row('gw-1')?.seq === 7, 8_000);
      expect(b!.row('gw-1')?.seq).toBe(7);
    });

    it('takes a gateway that started again at its word, whatever its numbers were before', async () => {
      const [a, b] = await heralds('a', 'b');
      for (const one of [a!, b!]) one.report('gw-1', 90, { bootId: 'boot-1' });
      // It goes on reporting as every gateway does: of two boots the younger report wins, and ages are only
      // known to a round trip.
      let seq = 0;
      const newStart = async (): Promise<boolean> => {
        a!.report('gw-1', ++seq, { bootId: 'boot-2' });
        return b!.row('gw-1')?.bootId === 'boot-2';
      };
      await until('the new start at b', newStart, 8_000, 200);
      expect(b!.row('gw-1')?.seq).toBeLessThanOrEqual(seq);
      expect(seq).toBeLessThan(90);
      expect(a!.row('gw-1')?.bootId).toBe('boot-2');
    });

    it('deletes the parts of a Herald gone for a minute, and only in the version it saw', async () => {
      store = await makeStore();
      let jumpMs = 0;
      const clock: Clock = { nowMs: () => performance.now() + jumpMs, epochMs: () => Date.now() };
      const ghost = await link();
      await until('the ghost', () => ghost.coordination.state() === 'up');
      const part = (rows: TableRow[]) => encodeTablePart({ v: 1, heraldId: 'ghost', bootId: 'x', rows });
      await ghost.coordination.put('/herald/test/table/ghost.0', part([]));
      await ghost.coordination.put('/herald/test/table/ghost.1', part([]));
      const mine = await link();
      // Between the last look and the deletion, the ghost writes one of its parts again.
      const racing: Coordination = {
        ...mine.coordination,
        async remove(path, version) {
          if (path.endsWith('ghost.1')) await ghost.coordination.put(path, part([]));
          return mine.coordination.remove(path, version);
        },
      };
      const a = Object.assign(startReplica(racing, 'a', { clock }), mine);
      replicas.push(a);
      await until('both parts seen', () => a.store.state().parts === 2);
      expect((await parts(ghost)).size).toBe(2);
      // Its absence is noted in the first round, each second; then a minute passes at once.
      await until('the first rounds', () => a.store.state().coordination.stateAgeMs > 2_500);
      jumpMs = 61_000;
      await until('the deletion', async () => !(await parts(ghost)).has('ghost.0'), 8_000);
      await until('the refusal', () => a.events.filter((e) => e.includes('ghost.1')).length > 0);
      expect([...(await parts(ghost)).keys()]).toEqual(['ghost.1']);
    });

    it('serves at a Herald started later from what the others wrote, within a second', async () => {
      const [a] = await heralds('a');
      for (let g = 0; g < 5; g++) a!.report(`gw-${g}`, 1);
      await until('the part', async () => [...(await parts(a!)).values()].flat().length === 5);
      for (let g = 0; g < 5; g++) a!.report(`gw-${g}`, 2);
      const startMs = performance.now();
      const late = await herald('late');
      await until('a named gateway', () => late.named().size > 0);
      expect(performance.now() - startMs).toBeLessThan(1_000);
    });

    it('shows drain, maint and ready at every Herald within 250 ms', async () => {
      const all = await heralds('a', 'b', 'c');
      for (const one of all) one.report('gw-1', 1);
      const stateAt = (one: Replica): string | undefined =>
        one.balancer.snapshot(performance.now()).gateways.find(({ gateway }) => gateway === 'gw-1')?.desired
          .state;
      const tookMs: number[] = [];
      for (const state of ['drain', 'maint', 'up', 'drain', 'up'] as const) {
        const startMs = performance.now();
        expect(await all[1]!.desired('gw-1', state, `to ${state}`)).toBe(true);
        await until(`${state} everywhere`, () => all.every((one) => stateAt(one) === state), 5_000, 5);
        tookMs.push(performance.now() - startMs);
      }
      // The median: a busy machine may stop this process once for longer than that.
      expect(tookMs.sort((x, y) => x - y)[2]).toBeLessThan(250);
    });

    it('keeps reason, author and expiry of a desired state through a restart of every Herald', async () => {
      const [a] = await heralds('a');
      const untilEpochMs = Date.now() + 3_600_000;
      await a!.desired('gw-1', 'drain', 'disk swap', untilEpochMs);
      await a!.stop();
      replicas.splice(0);
      const b = await herald('b');
      b.report('gw-1', 1);
      const desiredAtB = () => b.balancer.snapshot(performance.now()).gateways[0]?.desired;
      await until('the drain', () => desiredAtB()?.state === 'drain');
      expect(desiredAtB()).toEqual({ state: 'drain', reason: 'disk swap', author: 'ann', untilEpochMs });
      expect(b.named().size).toBe(0);
    });

    it('ends a desired state when its time is over, everywhere and in the store', async () => {
      const [a, b] = await heralds('a', 'b');
      for (const one of [a!, b!]) one.report('gw-1', 1);
      await a!.desired('gw-1', 'drain', 'short', Date.now() + 600);
      const stateAt = (one: Replica) => one.balancer.snapshot(performance.now()).gateways[0]?.desired;
      await until('the drain at b', () => stateAt(b!)?.state === 'drain');
      await until('its end', () => stateAt(a!)?.state === 'up' && stateAt(b!)?.state === 'up');
      expect(stateAt(b!)?.reason).toBe('lapsed: short');
      await until('its end in the store', async () => {
        const entry = await a!.coordination.get('/herald/test/desired/gw-1');
        return entry.ok && (JSON.parse(entry.value.data) as { state: string }).state === 'up';
      });
    });

    it('follows an entry that an operator wrote or deleted with another tool', async () => {
      const [a] = await heralds('a');
      const shell = await link();
      await until('the shell', () => shell.coordination.state() === 'up');
      a!.report('gw-1', 1);
      const state = () => a!.balancer.snapshot(performance.now()).gateways[0]?.desired.state;
      await shell.coordination.put('/herald/test/desired/gw-1', '{"state":"maint"}');
      await until('maint', () => state() === 'maint');
      await shell.coordination.put('/herald/test/desired/gw-1', '{"state":"nonsense"}');
      await until('the refusal', () => a!.events.some((event) => event.startsWith('desired-entry-refused')));
      expect(state()).toBe('maint');
      await shell.coordination.remove('/herald/test/desired/gw-1');
      await until('up', () => state() === 'up');
      expect(a!.events).toContain('desired-entry-deleted {"gateway":"gw-1","state":"maint"}');
    });

    it('knows the Heralds that live and forgets one that left', async () => {
      const [a, b, c] = await heralds('a', 'b', 'c');
      expect(a!.heralds.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
      expect(a!.heralds[1]?.control).toBe('http://127.0.0.1:7401/b');
      await b!.stop();
      replicas.splice(replicas.indexOf(b!), 1);
      await until('two', () => a!.heralds.length === 2 && c!.heralds.length === 2);
    });

    it('knows the brokers, their changes and their end', async () => {
      const [a] = await heralds('a');
      const broker = await link();
      const address = {
        id: 'broker-1',
        publish: 'tcp://127.0.0.1:7420',
        subscribe: 'tcp://127.0.0.1:7430',
        repair: 'tcp://127.0.0.1:7440',
        http: '',
        epoch: '9f',
        state: 'up' as const,
      };
      const announcement = announceBroker(broker.coordination, 'test', address);
      await until('the broker', () => a!.brokers.length === 1);
      expect(a!.brokers[0]).toEqual(address);
      announcement.update({ ...address, state: 'draining' });
      await until('its drain', () => a!.brokers[0]?.state === 'draining');
      await announcement.withdraw();
      await until('its end', () => a!.brokers.length === 0);
    });

    it('gives the mover lease to exactly one Herald and passes it on', async () => {
      const all = await heralds('a', 'b', 'c');
      await until('a mover', () => all.some((one) => one.moverLease));
      const first = all.filter((one) => one.store.isMover());
      expect(first.length).toBe(1);
      const epoch = first[0]!.store.state().mover.epoch;
      await first[0]!.stop();
      replicas.splice(replicas.indexOf(first[0]!), 1);
      const rest = all.filter((one) => one !== first[0]);
      await until('the next mover', () => rest.some((one) => one.moverLease));
      expect(rest.filter((one) => one.store.isMover()).length).toBe(1);
      expect(rest.find((one) => one.store.isMover())!.store.state().mover.epoch).toBeGreaterThan(epoch);
      expect(first[0]!.moverLease).toBe(false);
    });

    it('skips writes while the store is away, and writes everything once on its return', async () => {
      const [a, b] = await heralds('a', 'b');
      a!.report('gw-1', 1);
      await until(
        'the first write',
        () => (a!.writes['written'] ?? 0) + (b!.writes['written'] ?? 0) > 0,
        5_000,
      );
      a!.cut();
      await until('a to notice', () => a!.store.state().problem !== undefined);
      const before = a!.writes['written'] ?? 0;
      for (let seq = 2; seq < 12; seq++) {
        a!.report('gw-1', seq);
        await pause(150);
      }
      expect(a!.writes['written'] ?? 0).toBe(before);
      expect(a!.writes['skipped'] ?? 0).toBeGreaterThan(0);
      expect(a!.named()).toEqual(new Set(['gw-1']));
      a!.mend();
      const mendedMs = performance.now();
      await until('a to be back', () => a!.store.state().problem === undefined);
      expect(performance.now() - mendedMs).toBeLessThan(2_000);
      await until('its row at b', () => b!.row('gw-1')?.seq === 11, 8_000);
      expect((a!.writes['written'] ?? 0) - before).toBe(1);
    });

    it('shares a wish made while cut off when the store returns, unless another wish came first', async () => {
      const [a, b] = await heralds('a', 'b');
      for (const one of [a!, b!]) for (const gateway of ['gw-1', 'gw-2']) one.report(gateway, 1);
      a!.cut();
      await until('a to notice', () => a!.store.state().problem !== undefined);
      expect(await a!.desired('gw-1', 'drain', 'only here')).toBe(false);
      expect(await a!.desired('gw-2', 'drain', 'too late')).toBe(false);
      expect(await b!.desired('gw-2', 'maint', 'first')).toBe(true);
      const stateOf = (one: Replica, gateway: string) =>
        one.balancer.snapshot(performance.now()).gateways.find((row) => row.gateway === gateway)?.desired
          .state;
      expect(stateOf(a!, 'gw-1')).toBe('drain');
      expect(stateOf(b!, 'gw-1')).toBe('up');
      a!.mend();
      await until('the drain at b', () => stateOf(b!, 'gw-1') === 'drain');
      await until('the maint at a', () => stateOf(a!, 'gw-2') === 'maint');
      expect(stateOf(b!, 'gw-2')).toBe('maint');
    });

    it('answers after a restart with no store in reach from its snapshot, marked stale', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'herald-snapshot-'));
      const snapshotPath = join(folder, 'table.json');
      store = await makeStore();
      const first = await herald('a', snapshotPath);
      for (let g = 0; g < 4; g++) first.report(`gw-${g}`, 1);
      await first.desired('gw-3', 'drain', 'kept');
      await first.stop();
      replicas.splice(0);

      const cutOff = await link();
      cutOff.cut();
      const again = startReplica(cutOff.coordination, 'a', { snapshotPath });
      const rows = again.balancer.rows(performance.now());
      expect(rows.map(({ gateway }) => gateway).sort()).toEqual(['gw-0', 'gw-1', 'gw-2', 'gw-3']);
      for (const row of rows) expect(row.ageMs).toBeGreaterThan(2_000);
      const states = again.balancer
        .snapshot(performance.now())
        .gateways.map(({ gateway, effectiveState }) => `${gateway} ${effectiveState}`);
      expect(states.sort()).toEqual(['gw-0 stale', 'gw-1 stale', 'gw-2 stale', 'gw-3 drain']);
      // All went silent at once, so the table freezes and the last good one is served, without the drained.
      await until('frozen answers', () => again.named().size > 0);
      expect(again.named()).not.toContain('gw-3');
      await again.stop();
      rmSync(folder, { recursive: true });
    });
  });
}
