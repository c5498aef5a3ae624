// What a client's `sub` brings it, in which order, where the brokers are slow, the client asks twice, or has gone.

import { describe, expect, it, vi } from 'vitest';
import { History } from '../../../src/gateway/core/history.ts';
import { SETTLED_MS } from '../../../src/gateway/core/resume.ts';
import { MAX_UNREAD_BYTES } from '../../../src/gateway/clients/replay.ts';
import type { SubscribeItem } from '../../../src/protocol/client-frames.ts';
import type { LooseLink } from '../../launch/loose-link.ts';
import { smallGateway } from './small-gateway.ts';

/** All that needs no timer has happened. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
/** Its histories come once the function that this returns is called. */
function slowly(link: LooseLink): () => void {
  let go = (): void => {};
  const told = new Promise<void>((resolve) => (go = resolve));
  const fetchSince = link.fetchSince.bind(link);
  link.fetchSince = async (...asked) => {
    const history = await fetchSince(...asked);
    await told;
    return history;
  };
  return go;
}
const from = (c: string, o: number, e = 'e1'): SubscribeItem => ({ c, from: { e, o } });

describe('subscribing', () => {
  it('takes a topic that is named twice in a frame for one, in its last form', async () => {
    const { hub, link, client } = smallGateway({ maxTopics: 3 });
    link.publish('t', 1, 2);
    const { connection, sub, news } = client();
    sub('t', 'u', 'u', from('t', 1), 'u');
    await settled();
    expect(news()).toEqual(['ok t:1', 'ok u:0', 't:2']);
    sub('u', 't');
    expect(news()).toEqual(['ok u:0', 'ok t:2']);
    expect(hub.subscriptions).toBe(2);
    connection.close(1000);
    expect(hub.sweep(1, 0).toSorted()).toEqual(['t', 'u']);
  });

  it('counts a topic that is named twice once against the most there may be', async () => {
    const { client } = smallGateway({ maxTopics: 2 });
    const { sub, news } = client();
    sub('t', 't', 'u', 'v');
    await settled();
    expect(news()).toEqual(['ok t:0', 'ok u:0', 'no v']);
  });

  it('opens no topic beyond the most of all clients together, and has room again once some are forgotten', async () => {
    const { hub, client } = smallGateway({ maxGatewayTopics: 2 });
    const [first, second] = [client(), client()];
    first.sub('t', 'u');
    second.sub('u', 'v');
    await settled();
    expect(first.news()).toEqual(['ok t:0', 'ok u:0']);
    expect(second.news()).toEqual(['ok u:0', 'no v']);
    first.connection.close(1000);
    hub.sweep(1, 0);
    second.sub('v');
    await settled();
    expect(second.news()).toEqual(['ok v:0']);
  });

  it('answers what was asked meanwhile in the order it came, and then at once again', async () => {
    const { link, client } = smallGateway();
    const { connection, sub, news } = client();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 33; n++) sub(`${round}.${n}`);
      expect(connection.state).toBe('open');
      await settled();
      expect(news()).toEqual(Array.from({ length: 33 }, (_, n) => `ok ${round}.${n}:0`));
    }
    link.hold = new Promise(() => {});
    for (let n = 0; n < 34; n++) sub(`u.${n}`);
    expect([connection.state, connection.closeCode]).toEqual(['closing', 4103]);
  });

  it('answers nothing ahead of what is still under way, though what it waited for is done', async () => {
    const { link, client } = smallGateway();
    const { sub, news } = client();
    const held = (): (() => void) => {
      let go = (): void => {};
      link.hold = new Promise((resolve) => (go = resolve));
      return go;
    };
    const goFirst = held();
    sub('a');
    sub('b');
    const goSecond = held();
    goFirst();
    await settled();
    expect(news()).toEqual(['ok a:0']);
    sub('a');
    expect(news()).toEqual([]);
    goSecond();
    await settled();
    expect(news()).toEqual(['ok b:0', 'ok a:0']);
  });

  it('asks the brokers for nothing more once the client has gone', async () => {
    const { hub, link, client } = smallGateway();
    let go = (): void => {};
    link.hold = new Promise((resolve) => (go = resolve));
    const { connection, sub } = client();
    sub('t');
    sub('u');
    connection.close(1000);
    go();
    await settled();
    expect([...link.wanted]).toEqual(['t']);
    expect(hub.sweep(1, 0)).toEqual(['t']);
  });

  it('gives what waits for a client before the answer, above which everything is new', async () => {
    const { link, client } = smallGateway();
    const { sub, news } = client();
    sub('t');
    await settled();
    link.publish('t', 1, 2);
    sub('t');
    expect(news()).toEqual(['ok t:0', 't:e1:1', 't:2', 'ok t:2']);
  });

  it('replays no more for a frame than for a topic, and gives the newest message of the others', async () => {
    const { hub, link, client } = smallGateway({ resumeBytes: 150 });
    link.publish('price.a', 1, 'x'.repeat(40));
    link.publish('price.b', 1, 2, 'x'.repeat(20));
    link.publish('price.c', 1);
    const { sub, news } = client();
    sub(from('price.a', 1), from('price.b', 1), from('price.c', 1));
    await settled();
    expect(news()).toEqual([
      ...['ok price.a:1', 'ok price.b:2 lost', 'ok price.c:1'],
      ...['price.a:2', 'gap 1', 'price.b:3'],
    ]);
    expect(link.fetches).toHaveLength(3);
    expect(hub.ledger).toMatchObject({ gapMessages: 1, replayed: 3 });
  });

  it('looks once at what is kept here for who resumes, and asks nobody where that is enough', async () => {
    const { link, client, passMs } = smallGateway();
    client().sub('t', 'u');
    await settled();
    passMs(SETTLED_MS);
    link.publish('t', 1, 2, 3);
    link.publish('u', 1);
    passMs(SETTLED_MS);
    const { sub, news } = client();
    const looks = vi.spyOn(History.prototype, 'unseen');
    sub(from('t', 1), from('u', 1));
    expect(news()).toEqual(['ok t:1', 'ok u:1', 't:2', 't:3']);
    expect(looks).toHaveBeenCalledTimes(2);
    looks.mockRestore();
    expect(link.fetches).toEqual([]);
  });

  it('gives the newest message also where there is no memory for histories', async () => {
    const { link, client } = smallGateway({ historyBytes: 0 });
    link.publish('price.a', 1, 2);
    const [first, second] = [client(), client()];
    for (const { sub, news } of [first, second]) {
      sub('price.a');
      await settled();
      expect(news()).toEqual(['ok price.a:1', 'price.a:2']);
    }
    second.sub(from('price.a', 0, 'other'));
    await settled();
    expect(second.news()).toEqual(['ok price.a:1 lost', 'gap 0', 'price.a:2']);
  });

  it('replays what it has to fetch as long as clients read what was replayed to them', async () => {
    const { parts, link, client } = smallGateway();
    link.publish('t', 1, 2, 'x'.repeat(100));
    const { sub, news } = client();
    parts.unreadReplayBytes = MAX_UNREAD_BYTES - 100;
    sub(from('t', 1));
    await settled();
    expect(news()).toEqual(['ok t:3 lost', 'gap 2']);
    parts.unreadReplayBytes = 0;
    sub(from('t', 1));
    await settled();
    expect(news()).toEqual(['ok t:1', 't:2', 't:3']);
    expect(parts.unreadReplayBytes).toBe(0);
  });

  it('keeps a message once that came live and is among what was fetched in vain', async () => {
    const { link, client } = smallGateway({ resumeBytes: 100 });
    const stays = client();
    link.publish('price.a', 1);
    stays.sub('price.a');
    await settled();
    link.publish('price.a', 'x'.repeat(80));
    const { sub } = client();
    sub(from('price.a', 1));
    await settled();
    const [topic] = stays.connection.group!.topics;
    expect(topic!.history.messages).toBe(1);
  });

  it('takes a message for the newest only if nothing came while the brokers were asked', async () => {
    for (const goOn of [
      (link: LooseLink) => link.gap('price.a', 3, 2),
      (link: LooseLink) => {
        link.epoch = 'e2';
        link.publish('price.a', 1, 2);
        link.gap('price.a', 0, 0);
      },
    ]) {
      const { link, client } = smallGateway();
      link.publish('price.a', 1, 2);
      const answer = slowly(link);
      const { sub, news } = client();
      sub('price.a');
      await settled();
      goOn(link);
      answer();
      await settled();
      expect(news().filter((one) => one.startsWith('price.'))).toEqual([]);
    }
  });

  it('asks for eight topics of a frame at once, and again for who comes later', async () => {
    const { link, client } = smallGateway();
    const topics = Array.from({ length: 12 }, (_, n) => `t.${n}`);
    for (const topic of topics) link.publish(topic, 1, 2);
    const answer = slowly(link);
    const [first, second, late] = [client(), client(), client()];
    for (const one of [first, second]) one.sub(...topics.map((topic) => from(topic, 1)));
    await settled();
    expect(link.fetches).toHaveLength(8);
    answer();
    await settled();
    expect(link.fetches).toHaveLength(12);
    expect(second.news()).toHaveLength(24);
    late.sub(from('t.0', 1));
    await settled();
    expect(link.fetches).toHaveLength(13);
  });

  it('tells a hole to those alone who know gaps', async () => {
    const { link, client } = smallGateway();
    link.publish('t', 1, 2);
    const { connection, sub, news } = client();
    connection.caps = [];
    sub(from('t', 1, 'gone'));
    await settled();
    expect(news()).toEqual(['ok t:2 lost']);
  });

  it('names the epoch to all after a client resumed in another one', async () => {
    const { link, client, passMs } = smallGateway();
    const [stays, back] = [client(), client()];
    stays.sub('t');
    await settled();
    passMs(SETTLED_MS);
    link.publish('t', 1);
    link.epoch = 'e2';
    link.publish('t', 2);
    back.sub({ c: 't', from: { e: 'e1', o: 1, also: [{ e: 'e2', o: 1 }] } });
    await settled();
    link.publish('t', 3);
    back.sub('u');
    await settled();
    expect(back.news()).toEqual(['ok t:1', 't:e2:2', 'ok u:0']);
  });

  it('gives the newest message to who resumes in vain, unless it is the one it had', async () => {
    const { link, client } = smallGateway();
    const stays = client();
    stays.sub('price.a');
    await settled();
    link.publish('price.a', 1, 2);
    link.gap('price.a', 0, 0);
    const [had, hadNot] = [client(), client()];
    had.sub(from('price.a', 2));
    hadNot.sub(from('price.a', 1));
    await settled();
    expect(had.news()).toEqual(['ok price.a:2 lost', 'gap 0']);
    expect(hadNot.news()).toEqual(['ok price.a:1 lost', 'gap 0', 'price.a:2']);
    // For the newest message alone: what was missed cannot be had.
    expect(link.fetches.map(({ position }) => position.offset)).toEqual([1]);
  });
});
