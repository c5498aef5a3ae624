import { describe, expect, it } from 'vitest';
import type { FakeWorld } from './fake-world.ts';
import { createFakeWorld, liveWorld } from './fake-world.ts';

const counts = (world: FakeWorld, op: string): number =>
  world.last().sent.filter((frame) => frame['op'] === op).length;
const publish = (world: FakeWorld, count: number): void => {
  for (let i = 1; i <= count; i++) world.machine.publish(i, 't', i);
};
/** The gateway takes all publications it has been sent. */
const takes = (world: FakeWorld): void => {
  for (const { op, id } of world.last().sent) if (op === 'pub') world.last().says({ op: 'ok', id });
};

describe('a client that is in a hurry', () => {
  it('asks for a hundred topics, named one by one, in a few frames', () => {
    const world = liveWorld();
    for (let i = 0; i < 100; i++) world.machine.subscribe([{ topic: `t${i}` }]);
    for (let i = 0; i < 50; i++) world.machine.unsubscribe([`t${i}`]);
    for (let i = 0; i < 50; i++) world.machine.subscribe([{ topic: `t${i}` }]);
    world.last().answers();
    expect(counts(world, 'sub')).toBeLessThan(20);
    expect(new Set(world.of('subscribed').map(({ topic }) => topic)).size).toBe(101);
  });

  it('publishes as fast as the gateway takes it, in order, and lets few go unanswered', () => {
    const world = liveWorld();
    publish(world, 100);
    expect(counts(world, 'pub')).toBe(16);
    takes(world);
    // One was for the first subscription, and hello came before the limit was known.
    expect(counts(world, 'pub')).toBe(19);
    for (let second = 0; second < 4; second++) {
      const before = counts(world, 'pub');
      for (let i = 0; i < 10; i++) {
        world.passes(100);
        takes(world);
      }
      expect(counts(world, 'pub') - before).toBe(18);
    }
    world.passes(1_000);
    takes(world);
    expect(
      world
        .last()
        .sent.filter(({ op }) => op === 'pub')
        .map(({ d }) => d),
    ).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect([...world.settled.values()]).toEqual(Array.from({ length: 100 }, () => undefined));
  });

  it('is told when a thousand publications wait, and of all that wait when the connection ends', () => {
    const world = liveWorld();
    publish(world, 1_017);
    expect(world.settled).toEqual(new Map([[1_017, '1000 others wait for their turn already']]));
    world.last().closes(1006);
    expect(world.settled.size).toBe(1_017);
    world.passes(60_000);
    expect(counts(world, 'pub')).toBe(16);
  });

  it('takes the rate from the gateway, and answers its pings whatever waits', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({ perSec: 4 });
    publish(world, 10);
    expect(counts(world, 'pub')).toBe(3);
    world.last().says({ op: 'ping' });
    expect(counts(world, 'pong')).toBe(1);
    takes(world);
    world.passes(1_000);
    expect(counts(world, 'pub')).toBe(5);
  });

  it('keeps no timer when nothing waits and the rate is saved up', () => {
    const world = liveWorld();
    world.passes(1_000);
    expect(world.timer(`pace:${world.last().link}`)).toBeUndefined();
  });
});
