// What stands through loss and expiry, on the memory store with a clock of the test's own.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryEnsemble } from '../../../src/cluster/coordination-memory.ts';

describe('coordination through loss and expiry', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = 1_000;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const ensemble = () =>
    memoryEnsemble({ nowMs: () => nowMs, epochMs: () => nowMs, sessionTimeoutMs: 3_000 });
  /** Lets everything happen that needs no time. */
  const settle = () => vi.advanceTimersByTimeAsync(0);

  it('refuses while away, keeps nothing for later, and tells every change of state', async () => {
    const store = ensemble();
    const one = store.connect();
    const states: string[] = [];
    one.onState((state) => states.push(state));
    one.goAway();
    expect(await one.put('/a', 'stale')).toEqual({ ok: false, why: 'away' });
    one.comeBack();
    await settle();
    expect(await one.get('/a')).toMatchObject({ ok: false, why: 'no-node' });
    expect(states).toEqual(['away', 'up']);
  });

  it('delivers on return what changed meanwhile, and nothing while away', async () => {
    const store = ensemble();
    const one = store.connect();
    const other = store.connect();
    const seen: (string | undefined)[] = [];
    one.watch('/a', (entry) => seen.push(entry?.data));
    await settle();
    one.goAway();
    await other.put('/a', 'x');
    await settle();
    expect(seen).toEqual([undefined]);
    one.comeBack();
    await settle();
    expect(seen).toEqual([undefined, 'x']);
    await other.put('/a', 'y');
    await settle();
    expect(seen.at(-1)).toBe('y');
  });

  it('creates its ephemerals again in a new session', async () => {
    const store = ensemble();
    const one = store.connect();
    const other = store.connect();
    const entry = one.ephemeral('/e', 'x');
    await settle();
    const before = await other.get('/e');
    one.goAway();
    one.expire();
    expect(entry.state()).toBe('absent');
    expect(await other.get('/e')).toMatchObject({ ok: false, why: 'no-node' });
    one.comeBack();
    await settle();
    const after = await other.get('/e');
    expect(entry.state()).toBe('held');
    expect(before.ok && after.ok && before.value.owner !== after.value.owner).toBe(true);
  });

  it('takes over the entry that a dead process of the same name left behind', async () => {
    const store = ensemble();
    const dead = store.connect();
    dead.ephemeral('/e', 'old');
    await settle();
    dead.goAway();
    const next = store.connect();
    const entry = next.ephemeral('/e', 'new');
    await settle();
    expect(entry.state()).toBe('held');
    expect(await next.get('/e')).toMatchObject({ ok: true, value: { data: 'new' } });
  });

  it('no longer holds its lease after two thirds of the timeout away, and may again on return', async () => {
    const store = ensemble();
    const one = store.connect();
    const lease = one.lease('/l', 'one');
    await settle();
    expect([lease.held(), lease.epoch()]).toEqual([true, 1]);
    one.goAway();
    nowMs += 1_999;
    expect(lease.held()).toBe(true);
    nowMs += 1;
    expect([lease.held(), lease.epoch()]).toEqual([false, 0]);
    one.comeBack();
    expect(lease.held()).toBe(true);
  });

  it('refuses a write of an expired holder although it does not know yet', async () => {
    const store = ensemble();
    const one = store.connect();
    const other = store.connect();
    const old = one.lease('/l', 'one');
    await settle();
    const next = other.lease('/l', 'other');
    await settle();
    expect(next.held()).toBe(false);
    // The server buries the session; the process has not heard of it.
    store.tree.remove('/l', -1);
    await vi.advanceTimersByTimeAsync(1_000);
    const holders = [old.held(), next.held()];
    expect(holders.filter(Boolean).length).toBe(1);
    const loser = old.held() ? next : old;
    expect(await loser.put('/order', 'late')).toMatchObject({ ok: false, why: 'fenced' });
  });
});
