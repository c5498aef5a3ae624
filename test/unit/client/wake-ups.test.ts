import { afterEach, describe, expect, it, vi } from 'vitest';
import { WAKE_SPREAD_MS } from '../../../src/client/core/acquirer.ts';
import { followWakeUps } from '../../../src/client/wake-ups.ts';
import { createFakeWorld, liveWorld } from './fake-world.ts';

/** Where nobody answers, in its longest wait. */
function lonelyWorld(): ReturnType<typeof createFakeWorld> {
  const world = createFakeWorld({}, [0.9]);
  world.machine.start(0);
  for (let tries = 0; tries < 10; tries++) {
    world.silence();
    world.passes(world.timer('acquire')!);
  }
  world.silence();
  expect(world.timer('acquire')).toBe(18_000);
  return world;
}

describe('a client that is woken', () => {
  it.each([0, 0.5, 0.999])('tries again within a second what it could not reach (chance %f)', (chance) => {
    const world = lonelyWorld();
    const asked = world.lookups.length;
    world.chance = [chance];
    world.machine.woken(world.nowMs);
    expect(world.machine.state()).toMatchObject({
      name: 'waiting',
      forMs: Math.round(chance * WAKE_SPREAD_MS),
    });
    world.passes(WAKE_SPREAD_MS);
    expect(world.lookups).toHaveLength(asked + 1);
  });

  it('is not put off by being woken again and again', () => {
    const world = lonelyWorld();
    const asked = world.lookups.length;
    for (let i = 0; i < 10; i++) {
      world.machine.woken(world.nowMs);
      world.passes(WAKE_SPREAD_MS / 10);
    }
    expect(world.lookups).toHaveLength(asked + 1);
  });

  /** Whose connections all end at once with this code, in its longest wait. */
  function flappingWorld(code: number): ReturnType<typeof createFakeWorld> {
    const world = liveWorld();
    world.chance = [0.9];
    world.last().closes(code);
    while (world.timer('acquire')! < 7_200) {
      world.passes(world.timer('acquire')!);
      if (world.machine.state().name === 'looking-up') world.finds('g1');
      world.last().accepts();
      world.last().closes(code);
    }
    return world;
  }

  it('tries again within a second after connections that were lost one after the other', () => {
    const world = flappingWorld(1006);
    world.machine.woken(world.nowMs);
    expect(world.timer('acquire')).toBe(900);
  });

  it('waits on where its gateway asked for it', () => {
    const world = flappingWorld(4104);
    world.machine.woken(world.nowMs);
    expect(world.timer('acquire')).toBe(7_200);
  });

  it('waits on where Herald gave it its time', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.refuses({ type: 'urn:herald:problem:overloaded', code: 'overloaded', retryAfterMs: 9_000 });
    world.machine.woken(0);
    expect(world.timer('acquire')).toBe(9_000);
  });

  it('asks its gateway whether it is there, and is elsewhere soon when it is not', () => {
    const world = liveWorld();
    const link = world.last();
    world.machine.woken(world.nowMs);
    expect(link.sent.at(-1)).toEqual({ op: 'ping' });
    const frames = link.sent.length;
    world.machine.woken(world.nowMs);
    expect(link.sent).toHaveLength(frames);
    world.passes(4_999);
    expect(link.closedWith).toBeUndefined();
    world.passes(1);
    expect(link.closedWith).toBe(1000);
    expect(world.machine.state().name).toBe('waiting');
  });

  it('stays at a gateway that answers', () => {
    const world = liveWorld();
    world.machine.woken(world.nowMs);
    world.last().says({ op: 'pong' });
    world.passes(29_000);
    expect(world.last().closedWith).toBeUndefined();
    expect(world.links).toHaveLength(1);
  });

  it('does nothing once it is closed', () => {
    const world = liveWorld();
    world.machine.close();
    const frames = world.last().sent.length;
    world.machine.woken(world.nowMs);
    world.passes(60_000);
    expect(world.last().sent).toHaveLength(frames);
    expect(world.lookups).toHaveLength(1);
  });
});

describe('what wakes it', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is a network that is back and a page that is looked at, until it is ended', () => {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    vi.stubGlobal('document', document);
    const wake = vi.fn<() => void>();
    const stop = followWakeUps(wake);
    const happens = (): void => {
      page.dispatchEvent(new Event('online'));
      document.dispatchEvent(new Event('visibilitychange'));
    };
    happens();
    expect(wake).toHaveBeenCalledTimes(2);
    document.visibilityState = 'hidden';
    happens();
    expect(wake).toHaveBeenCalledTimes(3);
    stop();
    document.visibilityState = 'visible';
    happens();
    expect(wake).toHaveBeenCalledTimes(3);
  });

  it('is nothing where there is no browser', () => {
    expect(() => followWakeUps(() => {})()).not.toThrow();
  });
});
