import { describe, expect, it } from 'vitest';
import { CLOSE } from '../../../src/protocol/close-codes.ts';
import { LOST_SPREAD_MS } from '../../../src/client/core/losses.ts';
import { createFakeWorld, liveWorld } from './fake-world.ts';

describe('a client that lost its connection', () => {
  it.each([CLOSE.unauthorized, CLOSE.forbidden, CLOSE.badVersion, 1009])(
    'stops for good after %i',
    (code) => {
      const world = liveWorld();
      world.last().closes(code, 'no');
      expect(world.machine.state()).toEqual({ name: 'closed', code, reason: 'no' });
      expect(world.of('end')).toHaveLength(1);
      world.passes(600_000);
      expect(world.lookups).toHaveLength(1);
      expect(world.links).toHaveLength(1);
    },
  );

  it.each([CLOSE.slowConsumer, CLOSE.pongTimeout, CLOSE.rateLimited])(
    'returns to the same gateway after %i, without the used ticket, after a random wait',
    (code) => {
      const world = liveWorld();
      world.passes(10_000);
      world.last().closes(code);
      expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs: 500 });
      world.passes(500);
      expect(world.lookups).toHaveLength(1);
      expect(world.last().url).toBe('ws://g1:1/ws');
      expect(world.last().protocols).toEqual(['herald.v1.json']);
    },
  );

  it('asks Herald when that gateway cannot be reached again', () => {
    const world = liveWorld();
    world.last().closes(CLOSE.slowConsumer);
    world.passes(10_000);
    world.last().closes(1006);
    world.passes(10_000);
    expect(world.lookups).toHaveLength(2);
    expect(world.lookups[1]!.searchParams.get('intent')).toBe('resume');
    expect(world.lookups[1]!.searchParams.getAll('exclude')).toEqual(['g1']);
  });

  it.each([CLOSE.draining, CLOSE.overloaded, CLOSE.ticketRefused, CLOSE.shutdown, 1006, 1001, 1012])(
    'asks Herald after %i, at a random time within a second',
    (code) => {
      const waits = [0, 0.5, 0.999].map((chance) => {
        const world = liveWorld();
        world.passes(10_000);
        world.chance = [chance];
        world.last().closes(code);
        const waitMs = world.timer('acquire') ?? 0;
        world.passes(LOST_SPREAD_MS);
        expect(world.lookups).toHaveLength(2);
        expect(world.lookups[1]!.searchParams.get('intent')).toBe('resume');
        return waitMs;
      });
      expect(waits[0]).toBe(0);
      expect(waits[1]).toBe(500);
      expect(waits[2]).toBeGreaterThan(990);
    },
  );

  it('waits longer each time when connections do not last', () => {
    const world = liveWorld();
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      world.last().closes(CLOSE.overloaded);
      waits.push(world.timer('acquire') ?? 0);
      world.passes(60_000);
      world.finds('g1');
      world.last().accepts();
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 4_000]);
    world.passes(5_000);
    world.last().closes(CLOSE.overloaded);
    expect(world.timer('acquire')).toBe(500);
  });

  it('answers ping, asks a silent gateway after 1.2 periods, and gives it up after 1.6', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({ pingMs: 10_000 });
    const link = world.last();
    link.says({ op: 'ping' });
    expect(link.sent.at(-1)).toEqual({ op: 'pong' });
    world.passes(11_999);
    expect(link.sent.at(-1)).toEqual({ op: 'pong' });
    world.passes(1);
    expect(link.sent.at(-1)).toEqual({ op: 'ping' });
    link.says({ op: 'pong' });
    world.passes(15_999);
    expect(link.sent.at(-1)).toEqual({ op: 'ping' });
    expect(link.closedWith).toBeUndefined();
    world.passes(1);
    expect(link.closedWith).toBe(1000);
    expect(world.machine.state().name).toBe('waiting');
  });

  it('gives no gateway up unasked, however late its timer is', () => {
    const world = liveWorld();
    world.nowMs = 600_000;
    world.passes(0);
    expect(world.last().sent.at(-1)).toEqual({ op: 'ping' });
    expect(world.last().closedWith).toBeUndefined();
    world.passes(10_000);
    expect(world.last().closedWith).toBe(1000);
  });

  it('stays as long as anything is heard', () => {
    const world = liveWorld();
    for (let i = 1; i <= 100; i++) {
      world.passes(20_000);
      world.last().says({ op: 'msg', c: 't', o: i, d: i });
    }
    expect(world.links).toHaveLength(1);
    expect(world.last().closedWith).toBeUndefined();
  });
});

describe('closing by the program', () => {
  it('says bye, closes, and does nothing more', () => {
    const world = liveWorld();
    world.machine.close();
    expect(world.last().sent.at(-1)).toEqual({ op: 'bye' });
    expect(world.last().closedWith).toBe(1000);
    expect(world.machine.state().name).toBe('closed');
    expect(world.of('end')).toEqual([]);
    world.passes(600_000);
    expect(world.lookups).toHaveLength(1);
  });

  it('ends whatever was under way', () => {
    for (const reach of ['asking', 'trying', 'waiting'] as const) {
      const world = createFakeWorld();
      world.machine.start(0);
      if (reach === 'trying') world.finds('g1');
      if (reach === 'waiting') world.silence();
      world.machine.close();
      world.passes(600_000);
      world.finds('g1');
      expect(world.lookups).toHaveLength(1);
      expect(world.links.every(({ closedWith }) => closedWith === 1000)).toBe(true);
      world.machine.close();
    }
  });
});

describe('publishing', () => {
  it('settles with the gateway’s answer', () => {
    const world = liveWorld();
    expect(world.machine.publish(1, 'chat', { a: 1 })).toBe(true);
    expect(world.machine.publish(2, 'chat', null)).toBe(true);
    const [first, second] = world.last().sent.slice(-2);
    expect(first).toMatchObject({ op: 'pub', c: 'chat', d: { a: 1 } });
    world.last().says({ op: 'ok', id: first!['id'] });
    world.last().says({ op: 'err', id: second!['id'], code: 4103, msg: 'slow down' });
    expect([...world.settled]).toEqual([
      [1, undefined],
      [2, 'slow down'],
    ]);
  });

  it('is refused while not connected, and fails when the connection closes before the answer', () => {
    const world = liveWorld();
    world.machine.publish(1, 'chat', 1);
    world.last().closes(1006);
    expect(world.settled.get(1)).toMatch(/closed/);
    expect(world.machine.publish(2, 'chat', 1)).toBe(false);
  });
});
