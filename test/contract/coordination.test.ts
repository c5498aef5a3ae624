// One suite for the coordination port, on memory and on a real ZooKeeper: whoever programs against the port
// may rely on every sentence here whichever store is configured.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Coordination, Entry } from '../../src/cluster/coordination.ts';
import { memoryEnsemble } from '../../src/cluster/coordination-memory.ts';
import { zookeeperCoordination } from '../../src/cluster/coordination-zookeeper.ts';
import { requireServer } from '../launch/require-server.ts';
import { until } from '../launch/until.ts';
import { launchZookeeper } from '../launch/zookeeper.ts';

interface Store {
  /** A session of its own on the shared store. */
  connect(): Coordination;
  stop(): Promise<void>;
}

const stores: { name: string; run: boolean; start: () => Promise<Store> }[] = [
  {
    name: 'memory',
    run: true,
    async start() {
      const ensemble = memoryEnsemble();
      return { connect: () => ensemble.connect(), stop: async () => {} };
    },
  },
  {
    name: 'zookeeper',
    run: requireServer('zookeeper'),
    async start() {
      const server = await launchZookeeper();
      return {
        connect: () =>
          zookeeperCoordination({ address: `${server.address}/contract`, sessionTimeoutMs: 2_000 }),
        stop: () => server.remove(),
      };
    },
  },
];

for (const { name, run, start } of stores) {
  describe.runIf(run)(`coordination on ${name}`, () => {
    let store: Store;
    const open: Coordination[] = [];
    let round = 0;
    let root = '';

    beforeAll(async () => {
      store = await start();
    });
    afterAll(() => store.stop());
    afterEach(async () => {
      await Promise.all(open.splice(0).map((one) => one.close()));
    });
    const session = async (): Promise<Coordination> => {
      const one = store.connect();
      open.push(one);
      root = `/t${++round}`;
      await until('a session', () => one.state() === 'up');
      return one;
    };
    const value = async (store: Coordination, path: string): Promise<string | undefined> => {
      const found = await store.get(path);
      return found.ok ? found.value.data : undefined;
    };

    it('creates an entry with its parents and reads it back', async () => {
      const one = await session();
      expect(await one.create(`${root}/a/b`, 'first')).toEqual({ ok: true, value: undefined });
      const found = await one.get(`${root}/a/b`);
      expect(found).toMatchObject({ ok: true, value: { data: 'first', version: 0, owner: '' } });
      expect(await one.create(`${root}/a/b`, 'second')).toMatchObject({ ok: false, why: 'exists' });
      expect(await one.get(`${root}/none`)).toMatchObject({ ok: false, why: 'no-node' });
    });

    it('keeps any text as it is: empty, Unicode, a quarter of a megabyte', async () => {
      const one = await session();
      for (const text of ['', 'Grüße 你好 🚦', 'x'.repeat(256 * 1024)]) {
        expect(await one.put(`${root}/text`, text)).toMatchObject({ ok: true });
        expect(await value(one, `${root}/text`)).toBe(text);
      }
    });

    it('puts create or replace; with a version they only replace that version', async () => {
      const one = await session();
      const path = `${root}/versioned`;
      expect(await one.put(path, 'x', 0)).toMatchObject({ ok: false, why: 'no-node' });
      expect(await one.put(path, 'a')).toMatchObject({ ok: true, value: { version: 0 } });
      expect(await one.put(path, 'b', 0)).toMatchObject({ ok: true, value: { version: 1 } });
      expect(await one.put(path, 'c', 0)).toMatchObject({ ok: false, why: 'version' });
      expect(await value(one, path)).toBe('b');
    });

    it('tells the time of a write by the clock of the store', async () => {
      const one = await session();
      const first = await one.put(`${root}/time`, 'a');
      const second = await one.put(`${root}/time`, 'b');
      if (!first.ok || !second.ok) throw new Error('puts failed');
      expect(second.value.modifiedMs).toBeGreaterThanOrEqual(first.value.modifiedMs);
      expect(Math.abs(second.value.modifiedMs - Date.now())).toBeLessThan(10_000);
      expect(second.value.clockEpoch).toBe(first.value.clockEpoch);
    });

    it('removes with a version check and refuses while there are children', async () => {
      const one = await session();
      await one.put(`${root}/parent/child`, '');
      expect(await one.remove(`${root}/parent`)).toMatchObject({ ok: false, why: 'not-empty' });
      expect(await one.remove(`${root}/parent/child`, 5)).toMatchObject({ ok: false, why: 'version' });
      expect(await one.remove(`${root}/parent/child`, 0)).toMatchObject({ ok: true });
      expect(await one.remove(`${root}/parent/child`)).toMatchObject({ ok: false, why: 'no-node' });
    });

    it('lists the names of children', async () => {
      const one = await session();
      await Promise.all(['c', 'a', 'b'].map((child) => one.create(`${root}/list/${child}`, '')));
      const names = await one.list(`${root}/list`);
      expect(names.ok && names.value.sort()).toEqual(['a', 'b', 'c']);
      expect(await one.list(`${root}/nothing`)).toMatchObject({ ok: false, why: 'no-node' });
    });

    it.each(['', 'a', '/a/', '//a', '/a/../b', '/./a', '/a b', '/\u0000', `/${'x'.repeat(2_000)}`])(
      'refuses the path %j before the store sees it',
      async (path) => {
        const one = await session();
        expect(await one.get(path)).toMatchObject({ ok: false, why: 'bad-path' });
        expect(await one.put(path, '')).toMatchObject({ ok: false, why: 'bad-path' });
        expect(await one.list(path)).toMatchObject({ ok: false, why: 'bad-path' });
      },
    );

    it('refuses null and oversized data with a reason', async () => {
      const one = await session();
      expect(await one.put(`${root}/null`, null as unknown as string)).toMatchObject({ why: 'bad-data' });
      expect(await one.put(`${root}/large`, 'x'.repeat(1_048_577))).toMatchObject({ why: 'bad-data' });
      expect(await one.put(`${root}/wide`, 'é'.repeat(600_000))).toMatchObject({ why: 'bad-data' });
      expect(one.state()).toBe('up');
    });

    it('delivers an entry now, at each change, when it is gone and when it comes back', async () => {
      const one = await session();
      const other = await session();
      const seen: (string | undefined)[] = [];
      const stop = one.watch(`${root}/watched`, (entry: Entry | undefined) => seen.push(entry?.data));
      await until('the absence', () => seen.length === 1);
      await other.create(`${root}/watched`, 'a');
      await until('the creation', () => seen.at(-1) === 'a');
      await other.put(`${root}/watched`, 'b');
      await until('the change', () => seen.at(-1) === 'b');
      await other.remove(`${root}/watched`);
      await until('the removal', () => seen.at(-1) === undefined);
      await other.create(`${root}/watched`, 'c');
      await until('the return', () => seen.at(-1) === 'c');
      stop();
      stop();
      const before = seen.length;
      await other.put(`${root}/watched`, 'd');
      await one.get(`${root}/watched`);
      expect(seen.length).toBe(before);
    });

    it('never misses the last of many quick changes', async () => {
      const one = await session();
      const other = await session();
      let seen = '';
      one.watch(`${root}/quick`, (entry) => (seen = entry?.data ?? ''));
      for (let i = 0; i <= 200; i++) await other.put(`${root}/quick`, String(i));
      await until('the last value', () => seen === '200');
    });

    it('delivers the children of a parent that does not exist yet', async () => {
      const one = await session();
      const other = await session();
      let seen: string[] | undefined;
      one.watchList(`${root}/family`, (names) => (seen = names.sort()));
      await until('an empty list', () => seen?.length === 0);
      await other.create(`${root}/family/a`, '');
      await until('the first child', () => seen?.join() === 'a');
      await other.create(`${root}/family/b`, '');
      await until('the second child', () => seen?.join() === 'a,b');
      await other.remove(`${root}/family/a`);
      await until('the removal', () => seen?.join() === 'b');
    });

    it('keeps an ephemeral entry until release, and removes it when its session closes', async () => {
      const one = await session();
      const other = await session();
      const entry = one.ephemeral(`${root}/alive`, 'v1');
      await until('the entry', () => entry.state() === 'held');
      expect(await value(other, `${root}/alive`)).toBe('v1');
      entry.update('v2');
      await until('the update', async () => (await value(other, `${root}/alive`)) === 'v2');
      await entry.release();
      expect(await other.get(`${root}/alive`)).toMatchObject({ why: 'no-node' });

      const second = one.ephemeral(`${root}/alive`, 'v3');
      await until('the entry', () => second.state() === 'held');
      await one.close();
      await until('its end', async () => (await value(other, `${root}/alive`)) === undefined);
    });

    it('creates an ephemeral entry again when somebody deletes it', async () => {
      const one = await session();
      const other = await session();
      const entry = one.ephemeral(`${root}/stubborn`, 'x');
      await until('the entry', () => entry.state() === 'held');
      await other.remove(`${root}/stubborn`);
      await until('the entry again', async () => (await value(other, `${root}/stubborn`)) === 'x');
    });

    it('lets the newer of two processes with one name win; the older waits and returns', async () => {
      const one = await session();
      const other = await session();
      const older = one.ephemeral(`${root}/name`, 'older');
      await until('the older', () => older.state() === 'held');
      const newer = other.ephemeral(`${root}/name`, 'newer');
      await until('the newer', () => newer.state() === 'held');
      await until('the older to yield', () => older.state() === 'contended');
      expect(await value(one, `${root}/name`)).toBe('newer');
      await newer.release();
      await until('the older again', () => older.state() === 'held');
      expect(await value(other, `${root}/name`)).toBe('older');
    });

    it('gives the lease to one, and to the next one with a higher epoch', async () => {
      const one = await session();
      const other = await session();
      const first = one.lease(`${root}/lease/mover`, 'one');
      await until('the lease', () => first.held());
      const second = other.lease(`${root}/lease/mover`, 'two');
      expect(second.held()).toBe(false);
      const epoch = first.epoch();
      expect(epoch).toBeGreaterThan(0);
      await first.release();
      await until('the second to hold', () => second.held());
      expect(second.epoch()).toBeGreaterThan(epoch);
      expect(first.held()).toBe(false);
      expect(first.epoch()).toBe(0);
    });

    it('takes the lease where a node lies that belongs to no session, as a backup puts it back', async () => {
      const one = await session();
      const other = await session();
      await other.create(`${root}/restored/mover`, 'of a holder long gone');
      const lease = one.lease(`${root}/restored/mover`, 'one');
      await until('the lease', () => lease.held());
      await lease.release();
    });

    it('refuses a write under an old epoch, 200 times of 200', async () => {
      const one = await session();
      const other = await session();
      const path = `${root}/fence/mover`;
      let fenced = 0;
      for (let i = 0; i < 200; i++) {
        const old = one.lease(path, 'old');
        await until('the old holder', () => old.held(), 5_000, 1);
        // Deleting its node makes room for the next holder without the old one having been asked.
        const next = other.lease(path, 'next');
        const written = await old.put(`${root}/fence/order`, `old ${i}`);
        expect(written).toMatchObject({ ok: true });
        await other.remove(path);
        await until('a holder', () => next.held() || old.held(), 5_000, 1);
        const [a, b] = await Promise.all([
          old.put(`${root}/fence/order`, `a${i}`),
          next.put(`${root}/fence/order`, `b${i}`),
        ]);
        expect(a.ok && b.ok).toBe(false);
        if (!a.ok || !b.ok) fenced += 1;
        await old.release();
        await next.release();
      }
      expect(fenced).toBe(200);
    });

    it('answers `closed` after close, which may be called twice', async () => {
      const one = await session();
      const states: string[] = [];
      one.onState((state) => states.push(state));
      await Promise.all([one.close(), one.close()]);
      expect(states).toEqual(['closed']);
      expect(await one.get('/x')).toMatchObject({ ok: false, why: 'closed' });
      expect(await one.put('/x', '')).toMatchObject({ ok: false, why: 'closed' });
    });
  });
}
