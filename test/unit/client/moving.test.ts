import { describe, expect, it } from 'vitest';
import { createFakeWorld, liveWorld } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

const msg = (o: number, d: unknown = o): object => ({ op: 'msg', c: 't', o, d });
const order = { op: 'move', why: 'drain', spreadMs: 60_000, deadlineMs: 90_000 };

/** A world whose client was told to move and has just opened g2. */
function movingWorld(why = 'drain'): FakeWorld {
  const world = liveWorld();
  world.last().says(msg(1));
  world.last().says({ ...order, why });
  world.passes(30_000);
  world.finds('g2', 'g3');
  return world;
}

describe('a client that is told to move', () => {
  it('waits a random share of the spread, and stays live', () => {
    const world = liveWorld();
    world.chance = [0.25];
    world.last().says(order);
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g1', moving: true });
    world.passes(14_999);
    expect(world.lookups).toHaveLength(1);
    world.passes(1);
    expect(world.lookups).toHaveLength(2);
    expect(world.lookups[1]!.searchParams.get('intent')).toBe('move');
    expect(world.lookups[1]!.searchParams.getAll('exclude')).toEqual(['g1']);
    expect(world.lookups[1]!.searchParams.get('failed')).toBeNull();
  });

  it('resumes on the new gateway before it leaves the old, losing and repeating nothing', () => {
    const world = movingWorld();
    const [old, next] = world.links as [(typeof world.links)[0], (typeof world.links)[0]];
    old.says(msg(2));
    next.accepts({ answers: {} });
    expect(next.sent[1]).toEqual({ op: 'sub', id: 1, c: [{ c: 't', from: { e: 'e1', o: 2 } }] });
    expect(old.sent.at(-1)).toEqual({ op: 'bye' });
    expect(old.closedWith).toBe(1000);
    next.says(msg(2));
    next.says(msg(3));
    expect(world.data()).toEqual([1, 2, 3]);
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2', moving: false });
    expect(world.of('moved')).toEqual([{ from: 'g1', to: 'g2' }]);
    expect(world.of('gap')).toEqual([]);
  });

  it('remembers an order that comes while it subscribes, and obeys it once it is in', () => {
    const world = movingWorld();
    const next = world.last();
    next.opens();
    next.welcomes({ gateway: 'g2' });
    next.says(order);
    next.answers();
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2', moving: true });
    world.passes(30_000);
    expect(world.lookups.at(-1)!.searchParams.getAll('exclude')).toEqual(['g2']);
    world.finds('g3');
    world.last().accepts();
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g3', moving: false });
  });

  it('takes from both connections while they overlap', () => {
    const world = movingWorld();
    const [old, next] = world.links as [(typeof world.links)[0], (typeof world.links)[0]];
    next.opens();
    next.says({
      op: 'welcome',
      conn: 'c',
      gateway: 'g2',
      v: 1,
      caps: [],
      pingMs: 25_000,
      max: {},
      lookup: [],
    });
    old.says(msg(2));
    old.says(msg(3));
    next.says(msg(2));
    next.says(msg(3));
    next.says(msg(4));
    old.says(msg(4));
    next.answers();
    next.says(msg(5));
    expect(world.data()).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps the old connection for what the new one cannot resume', () => {
    const world = movingWorld();
    const [old, next] = world.links as [(typeof world.links)[0], (typeof world.links)[0]];
    next.accepts({ answers: { t: { e: 'e1', o: 4, rec: false } } });
    next.says(msg(5));
    expect(old.closedWith).toBeUndefined();
    old.says(msg(2));
    old.says(msg(3));
    expect(world.data()).toEqual([1, 2, 3]);
    old.says(msg(4));
    expect(world.data()).toEqual([1, 2, 3, 4, 5]);
    expect(world.of('gap')).toEqual([]);
    expect(old.closedWith).toBe(1000);
  });

  it('but not for ever: after 5 s the hole is told and the move is over', () => {
    const world = movingWorld();
    const [old, next] = world.links as [(typeof world.links)[0], (typeof world.links)[0]];
    next.accepts({ answers: { t: { e: 'e1', o: 4, rec: false } } });
    next.says(msg(5));
    old.says(msg(2));
    world.passes(5_000);
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e1', from: 3, count: 2, why: 'not-resumed' }]);
    expect(world.data()).toEqual([1, 2, 5]);
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2' });
    expect(old.closedWith).toBe(1000);
  });

  it('goes over to the new connection when the old one closes first', () => {
    const world = movingWorld();
    const [old, next] = world.links as [(typeof world.links)[0], (typeof world.links)[0]];
    old.closes(4201);
    expect(world.machine.state()).toMatchObject({ name: 'connecting', gateway: 'g2' });
    next.accepts();
    next.says(msg(2));
    expect(world.data()).toEqual([1, 2]);
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2' });
    expect(world.lookups).toHaveLength(2);
  });

  it('tries the alternates, and then asks again, while it stays live', () => {
    const world = movingWorld();
    world.last().closes(1006);
    expect(world.last().url).toBe('ws://g3:1/ws');
    world.last().closes(1006);
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g1' });
    world.passes(1_000);
    expect(world.lookups).toHaveLength(3);
    expect(world.lookups[2]!.searchParams.getAll('exclude').sort()).toEqual(['g1', 'g2', 'g3']);
  });

  it('stays where it is when a move for balance finds no place', () => {
    const world = liveWorld();
    world.last().says({ ...order, why: 'balance' });
    world.passes(30_000);
    world.refuses({ code: 'overloaded', retryAfterMs: 1_000 });
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g1', moving: false });
    world.passes(10_000);
    expect(world.lookups).toHaveLength(2);
    // What was given up is no longer under way: a connection that breaks later is looked for anew.
    world.last().closes(4201);
    world.passes(60_000);
    expect(world.lookups).toHaveLength(3);
  });

  it('insists on a place when the gateway closes in the middle of a move for balance', () => {
    const world = movingWorld('balance');
    world.links[0]!.closes(1006);
    world.last().closes(1006);
    world.last().closes(1006);
    expect(world.machine.state().name).toBe('waiting');
    world.passes(1_000);
    expect(world.lookups).toHaveLength(3);
  });

  it('waits for its slot when a drain finds the fleet full', () => {
    const world = liveWorld();
    world.last().says(order);
    world.passes(30_000);
    world.refuses({ code: 'overloaded', retryAfterMs: 2_000 });
    expect(world.machine.state()).toMatchObject({ name: 'live', moving: true });
    world.last().closes(4201);
    expect(world.lookups).toHaveLength(2);
    world.passes(2_000);
    expect(world.lookups).toHaveLength(3);
    world.finds('g2');
    world.last().accepts();
    expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2' });
  });

  it('obeys one order at a time', () => {
    const world = liveWorld();
    world.last().says(order);
    const leftMs = world.timer('move');
    world.last().says({ ...order, spreadMs: 1 });
    expect(world.timer('move')).toBe(leftMs);
  });

  it('goes from one to the next ever more slowly when each sends it away at once', () => {
    const world = liveWorld();
    for (let i = 0; i < 600; i++) {
      world.last().says({ ...order, spreadMs: 0 });
      world.passes(100);
      if (world.lookups.length <= world.links.length) continue;
      world.finds(`g${i}`);
      world.last().accepts();
    }
    expect(world.machine.state().name).toBe('live');
    expect(world.lookups.length).toBeLessThan(25);
    // One that stays for a while is a fresh start.
    world.passes(5_000);
    world.finds('calm');
    world.last().accepts();
    world.passes(5_000);
    world.last().says({ ...order, spreadMs: 0 });
    world.passes(20_000);
    world.finds('next');
    world.last().accepts();
    world.last().says({ ...order, spreadMs: 0 });
    expect(world.timer('move')).toBe(0);
  });

  it('does not ask in a circle when a balance order comes again and again and nobody else can take it', () => {
    const world = liveWorld();
    for (let i = 0; i < 600; i++) {
      world.last().says({ ...order, why: 'balance', spreadMs: 0 });
      world.passes(100);
      world.refuses({ code: 'overloaded', retryAfterMs: 1 });
    }
    expect(world.lookups.length).toBeLessThan(25);
  });

  it('publishes on the connection in use', () => {
    const world = movingWorld();
    world.machine.publish(1, 'c', 1);
    expect(world.links[0]!.sent.at(-1)).toMatchObject({ op: 'pub' });
    world.links[0]!.says({ op: 'ok', id: world.links[0]!.sent.at(-1)!['id'] });
    world.last().accepts();
    world.machine.publish(2, 'c', 2);
    expect(world.links[1]!.sent.at(-1)).toMatchObject({ op: 'pub' });
    expect(world.settled.get(1)).toBeUndefined();
    expect(world.settled.has(1)).toBe(true);
  });

  describe('what it publishes meanwhile', () => {
    const published = (world: FakeWorld, link: number): unknown[] =>
      world.links[link]!.sent.filter(({ op }) => op === 'pub').map(({ d }) => d);
    const answer = (world: FakeWorld): void => {
      for (const { op, id } of world.links[0]!.sent) if (op === 'pub') world.links[0]!.says({ op: 'ok', id });
    };
    /** 20 publications, 4 of which wait for their turn while the new connection is ready. */
    const publishing = (): FakeWorld => {
      const world = movingWorld();
      for (let i = 0; i < 20; i++) world.machine.publish(i, 'c', i);
      world.last().accepts();
      return world;
    };

    it('is answered by the old gateway, or goes out at the new one, each once and in order', () => {
      const world = publishing();
      world.machine.publish(20, 'c', 20);
      expect(world.links[0]!.closedWith).toBeUndefined();
      expect(world.machine.state()).toMatchObject({ gateway: 'g1', moving: true });
      answer(world);
      expect(world.links[0]!.closedWith).toBe(1000);
      expect(world.machine.state()).toMatchObject({ gateway: 'g2', moving: false });
      expect([...published(world, 0), ...published(world, 1)]).toEqual(
        Array.from({ length: 21 }, (_, i) => i),
      );
      expect([...world.settled.values()]).toEqual(Array.from({ length: 16 }, () => undefined));
    });

    it('is not waited for longer than 5 s', () => {
      const world = publishing();
      world.passes(5_000);
      expect(world.machine.state()).toMatchObject({ gateway: 'g2' });
      expect(world.settled.size).toBe(16);
      expect(published(world, 1)).toEqual([16, 17, 18, 19]);
    });

    it('goes out at the old gateway when the new one is lost', () => {
      const world = publishing();
      world.last().closes(1006);
      answer(world);
      world.passes(250);
      expect(published(world, 0)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    });

    it('does not hold up the new connection when the old one is lost', () => {
      const world = publishing();
      world.links[0]!.closes(1006);
      expect(world.machine.state()).toMatchObject({ name: 'live', gateway: 'g2' });
      expect(world.settled.get(0)).toMatch(/may have been published/);
      expect(world.settled.get(19)).toBe('the connection closed before its turn came');
    });
  });

  it('subscribes at both while it moves', () => {
    const world = createFakeWorld({ topics: [] });
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts();
    world.last().says(order);
    world.passes(30_000);
    world.finds('g2');
    world.last().opens();
    world.machine.subscribe([{ topic: 'new' }]);
    world.last().accepts();
    expect(world.links.map(({ sent }) => JSON.stringify(sent).includes('"new"'))).toEqual([true, true]);
  });
});
