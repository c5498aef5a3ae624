import { describe, expect, it } from 'vitest';
import { createFakeWorld, liveWorld } from './fake-world.ts';

const msg = (o: number, d: unknown = o, more: object = {}): object => ({ op: 'msg', c: 't', o, d, ...more });

describe('topics and positions', () => {
  it('delivers each message once and in order', () => {
    const world = liveWorld();
    for (const o of [1, 2, 2, 1, 3]) world.last().says(msg(o));
    expect(world.data()).toEqual([1, 2, 3]);
    expect(world.of('message')[0]).toEqual({ topic: 't', epoch: 'e1', offset: 1, data: 1 });
    expect(world.machine.position('t')).toEqual({ e: 'e1', o: 3 });
  });

  it('starts where the gateway says, and does not deliver what came before', () => {
    const world = createFakeWorld();
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({ answers: { t: { e: 'e1', o: 57 } } });
    world.last().says(msg(57));
    world.last().says(msg(58));
    expect(world.data()).toEqual([58]);
    expect(world.of('subscribed')).toEqual([{ topic: 't', recovered: true }]);
    expect(world.of('gap')).toEqual([]);
  });

  it('resumes after its position on the next connection', () => {
    const world = liveWorld();
    world.last().says(msg(1));
    world.last().says(msg(2));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    const link = world.last();
    link.accepts();
    expect(link.sent[1]).toEqual({ op: 'sub', id: 1, c: [{ c: 't', from: { e: 'e1', o: 2 } }] });
    link.says(msg(2));
    link.says(msg(3));
    expect(world.data()).toEqual([1, 2, 3]);
    expect(world.of('gap')).toEqual([]);
  });

  it('says how far it got in every epoch, whichever it heard last', () => {
    const world = liveWorld();
    world.last().says(msg(5));
    world.last().says(msg(1, 'b1', { e: 'e2' }));
    world.last().says(msg(6, 'a6', { e: 'e1' }));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    const link = world.last();
    link.accepts();
    const from = { e: 'e1', o: 6, also: [{ e: 'e2', o: 1 }] };
    expect(link.sent[1]).toEqual({ op: 'sub', id: 1, c: [{ c: 't', from }] });
    link.says(msg(1, 'b1', { e: 'e2' }));
    link.says(msg(2, 'b2'));
    expect(world.data()).toEqual([5, 'b1', 'a6', 'b2']);
  });

  it('tells a hole that cannot be resumed, with its count where the epoch is the same', () => {
    const world = liveWorld();
    world.last().says(msg(10));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    world.last().accepts({ answers: { t: { e: 'e1', o: 25, rec: false } } });
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e1', from: 11, count: 15, why: 'not-resumed' }]);
    expect(world.of('subscribed').at(-1)).toEqual({ topic: 't', recovered: false });
    world.last().says(msg(26));
    expect(world.data()).toEqual([10, 26]);
  });

  it('tells a hole of unknown size when the epoch is another', () => {
    const world = liveWorld();
    world.last().says(msg(10));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    world.last().accepts({ answers: { t: { e: 'e2', o: 3, rec: false } } });
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e2', from: 0, count: 0, why: 'not-resumed' }]);
    world.last().says(msg(4));
    expect(world.machine.position('t')).toEqual({ e: 'e2', o: 4 });
  });

  it('tells a hole also when the topic is back at an epoch that was seen before', () => {
    const world = liveWorld();
    world.last().says(msg(10));
    world.last().says(msg(1, 'elsewhere', { e: 'e2' }));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    world.last().accepts({ answers: { t: { e: 'e1', o: 10, rec: false } } });
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e1', from: 0, count: 0, why: 'not-resumed' }]);
    expect(world.of('subscribed').at(-1)).toEqual({ topic: 't', recovered: false });
  });

  it('tells a hole also when it has all of the epoch that the topic is in', () => {
    const world = liveWorld();
    world.last().says(msg(10));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    world.last().accepts({ answers: { t: { e: 'e1', o: 10, rec: false } } });
    world.last().says({ op: 'gap', c: 't', e: 'e1', from: 0, n: 0, why: 'unknown' });
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e1', from: 0, count: 0, why: 'not-resumed' }]);
    expect(world.of('subscribed').at(-1)).toEqual({ topic: 't', recovered: false });
  });

  it.each([
    { e: 'e1', from: 11, n: 15, why: 'trimmed' },
    { e: 'e2', from: 0, n: 0, why: 'unknown' },
  ])('tells a hole once though the gateway names it again in a frame of its own: $why', (said) => {
    const world = liveWorld();
    world.last().says(msg(10));
    world.last().closes(1006);
    world.passes(1_000);
    world.finds('g2');
    world.last().accepts({ answers: { t: { e: said.e, o: 25, rec: false } } });
    world.last().says({ op: 'gap', c: 't', ...said });
    expect(world.of('gap')).toHaveLength(1);
    world.last().says(msg(26));
    world.last().says({ op: 'gap', c: 't', e: said.e, from: 0, n: 0, why: 'unknown' });
    expect(world.of('gap')).toHaveLength(2);
  });

  it('follows a topic into a new epoch and back, without taking the past for news', () => {
    const world = liveWorld();
    world.last().says(msg(5));
    world.last().says(msg(1, 'b1', { e: 'e2' }));
    world.last().says(msg(2, 'b2'));
    world.last().says(msg(5, 'again', { e: 'e1' }));
    world.last().says(msg(6, 'a6'));
    expect(world.data()).toEqual([5, 'b1', 'b2', 'a6']);
  });

  it('hands a gap on once and moves past it', () => {
    const world = liveWorld();
    const gap = { op: 'gap', c: 't', e: 'e1', from: 3, n: 4, why: 'broker-lost' };
    world.last().says(msg(2));
    world.last().says(gap);
    world.last().says(gap);
    expect(world.of('gap')).toEqual([{ topic: 't', epoch: 'e1', from: 3, count: 4, why: 'broker-lost' }]);
    expect(world.machine.position('t')).toEqual({ e: 'e1', o: 6 });
  });

  it('subscribes and unsubscribes while connected, and before', () => {
    const world = createFakeWorld({ topics: [] });
    world.machine.start(0);
    world.machine.subscribe([{ topic: 'a' }, { topic: 'b', from: { e: 'x', o: 7 } }]);
    world.finds('g1');
    world.last().accepts();
    expect(world.last().sent[1]).toEqual({
      op: 'sub',
      id: 1,
      c: [{ c: 'a' }, { c: 'b', from: { e: 'x', o: 7 } }],
    });
    world.machine.subscribe([{ topic: 'a' }, { topic: 'c' }]);
    expect(world.last().sent.at(-1)).toEqual({ op: 'sub', id: 2, c: [{ c: 'c' }] });
    world.machine.unsubscribe(['a', 'nobody']);
    expect(world.last().sent.at(-1)).toEqual({ op: 'unsub', id: 3, c: ['a'] });
    world.last().says({ op: 'msg', c: 'a', o: 9, d: 1 });
    expect(world.data()).toEqual([]);
    expect(world.machine.topics()).toEqual(['b', 'c']);
  });

  it('keeps nothing of a topic that it left, so that ever new ones do not fill its memory', () => {
    const world = liveWorld();
    const link = world.last();
    link.says(msg(1));
    world.machine.unsubscribe(['t']);
    link.says({ op: 'ok', id: link.sent.at(-1)!['id'] });
    world.machine.subscribe([{ topic: 't' }]);
    link.answers({ t: { e: '' } });
    link.says(msg(1, 'first of another life', { e: 'e2' }));
    expect(world.of('message').map(({ epoch }) => epoch)).toEqual(['e1', 'e2']);
  });

  it('goes back to a position that is given for a topic it has', () => {
    const world = createFakeWorld({ topics: [{ topic: 't' }, { topic: 't', from: { e: 'e1', o: 4 } }] });
    world.machine.start(0);
    world.finds('g1');
    const link = world.last();
    link.accepts();
    expect(link.sent.at(-1)).toMatchObject({ op: 'sub', c: [{ c: 't', from: { e: 'e1', o: 4 } }] });
    for (const o of [5, 6, 7]) link.says(msg(o));
    world.machine.subscribe([{ topic: 't', from: { e: 'e1', o: 5 } }]);
    expect(link.sent.at(-1)).toMatchObject({ op: 'sub', c: [{ c: 't', from: { e: 'e1', o: 5 } }] });
    // Of the subscription before: it comes again with the replay, and would pass for the newest that was seen.
    link.says(msg(8));
    link.answers();
    for (const o of [6, 7, 8, 9]) link.says(msg(o));
    expect(world.data()).toEqual([5, 6, 7, 6, 7, 8, 9]);
    expect(world.of('gap')).toEqual([]);
  });

  it('takes the answer to an earlier wish for none to a later one', () => {
    const world = createFakeWorld({ topics: [] });
    world.machine.start(0);
    world.finds('g1');
    const link = world.last();
    link.accepts();
    world.machine.subscribe([{ topic: 't' }]);
    world.machine.unsubscribe(['t']);
    world.machine.subscribe([{ topic: 't', from: { e: 'e1', o: 41 } }]);
    link.says({ op: 'ok', id: 1, c: [{ c: 't', e: 'e1', o: 57 }] });
    link.says(msg(58));
    link.says({ op: 'ok', id: 2 });
    link.says({ op: 'ok', id: 3, c: [{ c: 't', e: 'e1', o: 41, rec: true }] });
    for (let o = 42; o <= 59; o++) link.says(msg(o));
    expect(world.data()).toEqual(Array.from({ length: 18 }, (_, i) => 42 + i));
    expect(world.of('gap')).toEqual([]);
    expect(world.of('subscribed')).toEqual([{ topic: 't', recovered: true }]);
  });

  it('drops a topic that is forbidden, and asks again for one that is not possible now', () => {
    const world = createFakeWorld({ topics: [{ topic: 'no' }, { topic: 'later' }, { topic: 'yes' }] });
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({
      answers: {
        no: { err: { code: 4006, msg: 'forbidden' } },
        later: { err: { code: 4105, msg: 'no broker' } },
      },
    });
    expect(world.machine.state().name).toBe('live');
    expect(world.of('refused')).toEqual([{ topic: 'no', code: 4006, message: 'forbidden' }]);
    world.passes(1_000);
    expect(world.last().sent.at(-1)).toMatchObject({ op: 'sub', c: [{ c: 'later' }] });
    world.last().answers();
    expect(world.of('subscribed').map(({ topic }) => topic)).toEqual(['yes', 'later']);
  });

  it('takes the refusal of a whole request for each of its topics', () => {
    const world = createFakeWorld({ topics: [{ topic: 'a' }, { topic: 'b' }] });
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts({ answers: {} });
    world.machine.subscribe([{ topic: 'c' }, { topic: 'd' }]);
    world.last().says({ op: 'err', id: 2, code: 4006, msg: 'forbidden' });
    expect(world.of('refused').map(({ topic }) => topic)).toEqual(['c', 'd']);
  });

  it.each([
    [128, [80, 48]],
    [2_500, [...Array.from({ length: 15 }, () => 157), 145]],
  ])('splits %d topics over frames', (count, sizes) => {
    const topics = Array.from({ length: count }, (_, i) => ({ topic: `t${i}` }));
    const world = createFakeWorld({ topics });
    world.machine.start(0);
    world.finds('g1');
    world.last().accepts();
    const subs = world.last().sent.filter(({ op }) => op === 'sub');
    expect(subs.map(({ c }) => (c as unknown[]).length)).toEqual(sizes);
    expect(world.machine.state().name).toBe('live');
  });

  it('does not send a publication above the longest frame, which would end the connection', () => {
    const world = liveWorld();
    expect(world.machine.publish(1, 't', 'ü'.repeat(32_768))).toBe(true);
    expect(world.settled.get(1)).toContain('65536');
    world.machine.publish(2, 't', 'u'.repeat(32_768));
    expect(world.last().sent.at(-1)).toMatchObject({ op: 'pub', d: 'u'.repeat(32_768) });
  });
});
