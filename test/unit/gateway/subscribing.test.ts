// What a client's `sub` brings it, in which order, where the brokers are slow, the client asks twice, or has gone.

import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Connection } from '../../../src/gateway/connection.ts';
import { BUILT_IN_CAPABILITIES } from '../../../src/gateway/core/capabilities.ts';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import { SETTLED_MS } from '../../../src/gateway/core/resume.ts';
import { plainAllocate } from '../../../src/gateway/core/ws-frame.ts';
import { gatewayOptions } from '../../../src/gateway/gateway-options.ts';
import type { GatewayParts } from '../../../src/gateway/gateway-parts.ts';
import { Subscribing } from '../../../src/gateway/subscribing.ts';
import type { ClientSocket } from '../../../src/gateway/ws-server.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import type { SubscribeItem } from '../../../src/protocol/client-frames.ts';
import { LooseLink } from '../../launch/loose-link.ts';

interface Frame {
  op: string;
  e?: string;
  c: string & Record<string, unknown>[];
  [field: string]: unknown;
}

function gateway(limits: Partial<GatewayParts['config']> = {}) {
  const config = { ...loadConfig(gatewayOptions, {}), ...limits };
  const outbox = new Outbox(1);
  const hub = new Hub({
    outbox,
    traitsOf: (topic) => ({ flushClass: outbox.classOf(0), sendsLast: topic.startsWith('price.') }),
    history: { maxMessages: 300, maxBytes: 1_000_000, maxAgeMs: 120_000 },
    historyBudgetBytes: 1_000_000,
    deflate: () => undefined,
    deflateFromBytes: 1_000,
    allocate: plainAllocate,
  });
  const link = new LooseLink();
  let nowMs = 0;
  link.open({
    onMessages: (batch) => {
      for (const message of batch) hub.message(message, nowMs);
    },
    onGap: (gap) => hub.gap(gap, nowMs),
  });
  const parts = {
    ...{ config, hub, link, slow: new Set(), doomed: new Set(), deliveredBytes: 0, writes: 0 },
    clock: { nowMs: () => nowMs, epochMs: () => nowMs },
    allocate: plainAllocate,
    undelivered: () => {},
  } as unknown as GatewayParts;
  const subscribing = new Subscribing(parts);
  const client = () => {
    const frames: Frame[] = [];
    const socket = {
      writableLength: 0,
      write(bytes: Uint8Array, taken?: () => void) {
        for (let at = 0; at < bytes.length;) {
          const isLong = bytes[at + 1] === 126;
          const length = isLong ? bytes[at + 2]! * 256 + bytes[at + 3]! : bytes[at + 1]!;
          at += isLong ? 4 : 2;
          frames.push(JSON.parse(Buffer.from(bytes.subarray(at, at + length)).toString()) as Frame);
          at += length;
        }
        taken?.();
        return true;
      },
    };
    const ws = { extensions: '', readyState: 1, close: () => connection.closing(1000) };
    const connection = new Connection(
      parts,
      ws as unknown as ClientSocket,
      socket as unknown as Socket,
      'c',
      undefined,
    );
    connection.agree(BUILT_IN_CAPABILITIES);
    connection.state = 'open';
    let id = 0;
    const sub = (...items: (string | SubscribeItem)[]): void => {
      const wanted = items.map((item) => (typeof item === 'string' ? { c: item } : item));
      id += 1;
      const number = id;
      subscribing.inOrder(connection, () => subscribing.subscribe(connection, number, wanted));
    };
    /** What came since the last look, as `ok topic:offset`, `epoch:offset` and `gap n`. */
    const news = (): string[] =>
      frames.splice(0).flatMap(({ op, c, e, o, n }) => {
        if (op === 'gap') return [`gap ${String(n)}`];
        if (op === 'msg') return [`${c}:${e === undefined ? '' : `${e}:`}${String(o)}`];
        return c.map(({ c: topic, o: offset, rec, err }) =>
          err
            ? `no ${String(topic)}`
            : `ok ${String(topic)}:${String(offset)}${rec === false ? ' lost' : ''}`,
        );
      });
    return { connection, sub, news };
  };
  return { hub, link, client, passMs: (ms: number) => void (nowMs += ms) };
}

/** All that needs no timer has happened. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const from = (c: string, o: number, e = 'e1'): SubscribeItem => ({ c, from: { e, o } });

describe('subscribing', () => {
  it('takes a topic that is named twice in a frame for one, in its last form', async () => {
    const { hub, link, client } = gateway({ maxTopics: 3 });
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
    const { client } = gateway({ maxTopics: 2 });
    const { sub, news } = client();
    sub('t', 't', 'u', 'v');
    await settled();
    expect(news()).toEqual(['ok t:0', 'ok u:0', 'no v']);
  });

  it('answers what was asked meanwhile in the order it came, and then at once again', async () => {
    const { link, client } = gateway();
    const { connection, sub, news } = client();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 33; n++) sub(`t.${n}`);
      expect(connection.state).toBe('open');
      await settled();
      await settled();
      expect(news()).toEqual(Array.from({ length: 33 }, (_, n) => `ok t.${n}:0`));
    }
    link.hold = new Promise(() => {});
    for (let n = 0; n < 34; n++) sub(`u.${n}`);
    expect([connection.state, connection.closeCode]).toEqual(['closing', 4103]);
  });

  it('asks the brokers for nothing more once the client has gone', async () => {
    const { hub, link, client } = gateway();
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
    const { link, client } = gateway();
    const { sub, news } = client();
    sub('t');
    await settled();
    link.publish('t', 1, 2);
    sub('t');
    expect(news()).toEqual(['ok t:0', 't:e1:1', 't:2', 'ok t:2']);
  });

  it('replays no more for a frame than for a topic, and gives the newest message of the others', async () => {
    const { link, client } = gateway({ resumeBytes: 100 });
    for (const topic of ['price.a', 'price.b']) link.publish(topic, 1, 'x'.repeat(40));
    const { sub, news } = client();
    sub(from('price.a', 1), from('price.b', 1));
    await settled();
    expect(news()).toEqual(['ok price.a:1', 'ok price.b:1 lost', 'price.a:2', 'gap 0', 'price.b:2']);
  });

  it('names the epoch to all after a client resumed in another one', async () => {
    const { link, client, passMs } = gateway();
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
    const { link, client } = gateway();
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
  });
});
