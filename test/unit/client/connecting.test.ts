import { describe, expect, it } from 'vitest';
import { judgeLookup } from '../../../src/client/core/lookup-answer.ts';
import { problem } from '../../../src/daemon/problem.ts';
import { createFakeWorld, liveWorld } from './fake-world.ts';

describe('a client that connects', () => {
  it('asks Herald first, with what it wants', () => {
    const world = createFakeWorld({
      request: {
        pool: 'chat',
        zone: 'eu',
        labels: { tier: 'gold' },
        key: 'room-1',
        size: 2,
        exclude: ['g9'],
      },
    });
    world.machine.start(0);
    const query = world.lookups[0]!.searchParams;
    expect(world.lookups[0]!.pathname).toBe('/v1/lookup');
    expect(Object.fromEntries(query)).toEqual({
      pool: 'chat',
      zone: 'eu',
      label: 'tier=gold',
      key: 'room-1',
      size: '2',
      exclude: 'g9',
    });
    expect(world.machine.state()).toEqual({ name: 'looking-up', attempt: 0 });
  });

  it('opens the named gateway with protocol and ticket, says hello, subscribes, and is live', () => {
    const world = createFakeWorld({ token: () => 'secret' });
    world.machine.start(0);
    world.finds('g1');
    const link = world.last();
    expect(link.url).toBe('ws://g1:1/ws');
    expect(link.protocols).toEqual(['herald.v1.json', 'herald.ticket.t1.h1.g1']);
    expect(world.machine.state()).toMatchObject({ name: 'connecting', gateway: 'g1' });
    expect(link.sent).toEqual([]);
    link.accepts();
    expect(link.sent).toEqual([
      { op: 'hello', v: 1, caps: ['gap', 'move'], token: 'secret' },
      { op: 'sub', id: 1, c: [{ c: 't' }] },
    ]);
    expect(world.machine.state()).toEqual({
      name: 'live',
      gateway: 'g1',
      url: 'ws://g1:1/ws',
      conn: 'c1',
      moving: false,
    });
  });

  it('tries the alternates before it asks again, and then names those that failed and the ticket', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1', 'g2');
    world.last().closes(1006);
    expect(world.last().url).toBe('ws://g2:1/ws');
    expect(world.lookups).toHaveLength(1);
    world.last().closes(1006);
    expect(world.lookups).toHaveLength(1);
    // Half of the first cap, as the chance is 0.5 and the reply asked for 1 s to 8 s.
    expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs: 500 });
    world.passes(500);
    expect(world.lookups).toHaveLength(2);
    expect(world.lookups[1]!.searchParams.getAll('exclude')).toEqual(['g1', 'g2']);
    expect(world.lookups[1]!.searchParams.get('failed')).toBe('t1.h1.g1');
  });

  it('names what the program excluded rather than what failed, where there is no room for both', () => {
    const exclude = Array.from({ length: 16 }, (_, i) => `never-${i}`);
    const world = createFakeWorld({ request: { exclude } });
    world.machine.start(0);
    world.finds('g1');
    world.last().closes(1006);
    world.passes(500);
    expect(world.lookups[1]!.searchParams.getAll('exclude')).toEqual(exclude);
  });

  it('waits longer with each round, up to the range Herald gave', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      world.finds('g1');
      world.last().closes(1006);
      const state = world.machine.state();
      if (state.name === 'waiting') waits.push(state.forMs);
      world.passes(20_000);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
  });

  it('waits as long as it is told, to the millisecond where that is its own slot, and spread where all hear the same', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.refuses({ code: 'overloaded', detail: 'full', retryAfterMs: 4_321 });
    expect(world.machine.state()).toEqual({ name: 'waiting', forMs: 4_321, why: 'full' });
    world.passes(4_320);
    expect(world.lookups).toHaveLength(1);
    world.passes(1);
    expect(world.lookups).toHaveLength(2);
    world.refuses({ code: 'overloaded' }, 503, 7_000);
    expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs: 7_500 });
  });

  it.each([
    ['none at all', { retryAfterMs: 0 }, undefined, 100],
    ['none at all, in the header', {}, 0, 100],
    ['less than none, which is no time', { retryAfterMs: -1 }, 7_000, 7_000],
    ['a day', { retryAfterMs: 86_400_000 }, undefined, 600_000],
    ['a day, in the header', {}, 86_400_000, 600_000],
  ])('waits a tenth of a second to ten minutes, told to wait %s', (_, told, retryAfterMs, forMs) => {
    const world = createFakeWorld({}, [0]);
    world.machine.start(0);
    world.refuses({ code: 'overloaded', ...told }, 503, retryAfterMs);
    expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs });
  });

  it.each([
    [0, 100],
    [86_400_000, 600_000],
  ])('waits as long when every pick failed, told to wait up to %d ms', (waitMs, most) => {
    const world = createFakeWorld({}, [1 - 1e-9]);
    world.machine.start(0);
    const body = {
      gateway: 'g1',
      url: 'ws://g1:1/ws',
      ticket: '',
      backoff: { minMs: waitMs, maxMs: waitMs },
    };
    world.answer(judgeLookup(200, undefined, JSON.stringify(body)));
    world.last().closes(1006);
    expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs: most });
  });

  const good = { gateway: 'g2', url: 'ws://g2:1/ws', ticket: '' };
  it.each([
    ['an alternate', { ...good, alternates: [{ gateway: 'g3', url: 'https://g3/', ticket: '' }, null, 7] }],
    ['the first', { gateway: 'g1', url: 'ws://g1', ticket: 7, alternates: [good] }],
    ['the list of alternates', { ...good, alternates: 'g3' }],
    ['the times to wait', { ...good, backoff: { minMs: -1 } }],
  ])('goes where it can where %s is none', (_, body) => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.answer(judgeLookup(200, undefined, JSON.stringify(body)));
    expect(world.machine.state()).toMatchObject({ name: 'connecting', gateway: 'g2' });
    world.last().closes(1006);
    expect(world.machine.state()).toMatchObject({ name: 'waiting', forMs: 125 });
  });

  it('says why the gateways failed, also where Herald then has none left to name', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().closes(1006, 'connect ECONNREFUSED');
    const failed = 'g1: connect ECONNREFUSED';
    expect(world.machine.state()).toMatchObject({ why: `no gateway could be reached: ${failed}` });
    world.passes(500);
    world.refuses({ code: 'none-eligible', detail: 'no gateway may take it', retryAfterMs: 100 });
    expect(world.machine.state()).toMatchObject({ why: `no gateway may take it; ${failed}` });
    world.passes(100);
    world.refuses({ code: 'none-eligible', detail: 'no gateway may take it', retryAfterMs: 100 });
    expect(world.machine.state()).toMatchObject({ why: 'no gateway may take it' });
  });

  it('asks without exclusions after a refusal: better a gateway that failed than none', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().closes(1006);
    world.passes(500);
    world.refuses({ code: 'none-eligible', retryAfterMs: 100 });
    world.passes(100);
    expect(world.lookups.at(-1)!.searchParams.getAll('exclude')).toEqual([]);
  });

  it('asks the next Herald at once when one is silent, and waits only after a whole round', () => {
    const world = createFakeWorld({ heralds: ['http://h1', 'http://h2/', 'http://h3/base'] }, [0, 0.5]);
    world.machine.start(0);
    world.silence();
    world.silence();
    expect(world.lookups.map(({ href }) => href)).toEqual([
      'http://h1/v1/lookup',
      'http://h2/v1/lookup',
      'http://h3/base/v1/lookup',
    ]);
    world.silence();
    expect(world.machine.state()).toMatchObject({ name: 'waiting' });
  });

  it('asks another Herald when one has no gateways, but not when the fleet is overloaded', () => {
    const some = createFakeWorld({ heralds: ['http://h1', 'http://h2'] });
    some.machine.start(0);
    some.refuses({ code: 'starting', retryAfterMs: 1_000 });
    expect(some.lookups).toHaveLength(2);
    const full = createFakeWorld({ heralds: ['http://h1', 'http://h2'] });
    full.machine.start(0);
    full.refuses({ code: 'overloaded', retryAfterMs: 1_000 });
    expect(full.lookups).toHaveLength(1);
  });

  it('stops for good when the request itself is wrong', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.refuses(problem(400, 'invalid-value', 'label: received "x"'), 400);
    expect(world.of('end')).toEqual([{ code: 400, reason: 'lookup refused with 400: label: received "x"' }]);
    expect(world.machine.state().name).toBe('closed');
  });

  it.each([400, 401, 403, 407, 451])('waits and asks again after a %i that is not of a Herald', (status) => {
    const world = createFakeWorld({ heralds: ['http://h1', 'http://h2'] });
    world.machine.start(0);
    world.refuses({ code: 'denied', message: 'no token' }, status);
    expect(world.lookups).toHaveLength(2);
    world.refuses({}, status);
    expect(world.of('end')).toEqual([]);
    expect(world.machine.state()).toMatchObject({
      name: 'waiting',
      why: `no Herald answers at http://h1 (status ${status})`,
    });
  });

  it('gives up a gateway that opens and says nothing, after 15 s', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1', 'g2');
    world.last().opens();
    world.passes(14_999);
    expect(world.links).toHaveLength(1);
    world.passes(1);
    expect(world.links[0]!.closedWith).toBe(1000);
    expect(world.last().url).toBe('ws://g2:1/ws');
  });

  it('ignores an answer to a question it no longer asks', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.machine.lookedUp(99, { is: 'silent', why: '' }, 0);
    expect(world.machine.state().name).toBe('looking-up');
  });

  it('ignores ops and frames it does not know', () => {
    const world = liveWorld();
    world.last().says({ op: 'hologram', x: 1 });
    world.machine.socketReceived(1, '{"op":', 0);
    world.machine.socketReceived(1, 'null', 0);
    world.last().says({ op: 'msg', c: 't', o: 'x', d: 1 });
    expect(world.machine.state().name).toBe('live');
    world.last().says({ op: 'msg', c: 't', o: 1, d: 'ok' });
    expect(world.data()).toEqual(['ok']);
  });

  it('needs usable Herald URLs', () => {
    expect(() => createFakeWorld({ heralds: ['ftp://x'] })).toThrow(/ftp:\/\/x/);
  });

  it('learns further Heralds from welcome, and forgets those that no gateway names any more', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    /** Which Heralds are asked, once each, after a gateway that named these. */
    const asked = (...lookup: string[]): string[] => {
      world.finds('g1');
      world.last().accepts({ lookup });
      world.last().closes(1006);
      world.passes(20_000);
      const first = world.lookups.length - 1;
      while (world.machine.state().name === 'looking-up') world.silence();
      world.passes(20_000);
      return world.lookups.slice(first, -1).map(({ host }) => host);
    };
    expect(asked('http://h2:7400/v1/lookup', 'not a url')).toEqual(['h1:7400', 'h2:7400']);
    expect(asked('http://h3:7400', 'http://h4:7400/')).toEqual(['h1:7400', 'h3:7400', 'h4:7400']);
    expect(asked()).toEqual(['h1:7400']);
    const many = Array.from({ length: 40 }, (_, i) => `http://m${i}`);
    expect(asked(...many)).toHaveLength(17);
  });

  it('goes on asking the Herald that answered last, although no gateway names it any more', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({ lookup: ['http://h2:7400'] });
    world.last().closes(1006);
    world.passes(20_000);
    world.silence();
    world.finds('g1');
    world.last().accepts({ lookup: ['http://h3:7400'] });
    world.last().closes(1006);
    world.passes(20_000);
    expect(world.lookups.at(-1)!.host).toBe('h2:7400');
    world.silence();
    expect(['h1:7400', 'h3:7400']).toContain(world.lookups.at(-1)!.host);
  });
});
