// HTTP publish against a real broker: what it takes, what it refuses and how it says so; retries under one
// key; encryption and tokens off loopback.

import { once } from 'node:events';
import { connect } from 'node:net';
import { curveKeyPair } from 'zeromq';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { rankAllBuckets } from '../../../src/protocol/bucket-owner.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { until } from '../../launch/until.ts';
import { broker, listener, numbers } from './rig.ts';

const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/v1/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });

describe('POST /v1/publish', () => {
  it('answers 202 once everything was taken, one message or a batch', async () => {
    const one = closeLater(await broker('b1'));
    const heard = listener([one.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('a');
    const single = await post(one.addresses.http, { topic: 'a', data: 0 });
    expect([single.status, await single.json()]).toEqual([202, { accepted: 1 }]);
    expect(one.snapshot().ledger.forwarded).toBe(1);
    const batch = numbers(1, 500).map((n) => ({ topic: 'a', data: n }));
    expect((await post(one.addresses.http, { messages: batch })).status).toBe(202);
    await until('501 messages', () => heard.messages.length >= 501);
    expect(heard.values('a')).toEqual(numbers(0, 500));
  });

  it('delivers a request once however often it is repeated under its key', async () => {
    const one = closeLater(await broker('b1'));
    const body = { messages: numbers(1, 10).map((n) => ({ topic: 'b', data: n })) };
    for (let tries = 0; tries < 3; tries++) {
      expect((await post(one.addresses.http, body, { 'idempotency-key': 'order-17' })).status).toBe(202);
    }
    expect(one.snapshot().ledger).toMatchObject({ forwarded: 10, duplicates: 20 });
    // Not a retry: something else under a key that was used before.
    const other = { topic: 'b', data: 'other' };
    expect((await post(one.addresses.http, other, { 'idempotency-key': 'order-17' })).status).toBe(202);
    expect(one.snapshot().ledger).toMatchObject({ forwarded: 11, duplicates: 20 });
  });

  it('brings each topic to its owner where brokers know each other by a list', async () => {
    const one = closeLater(await broker('b1'));
    const ports = (['publish', 'subscribe', 'repair'] as const).map(
      (key) => one.addresses[key].split(':')[2],
    );
    const two = closeLater(await broker('b2', { brokers: [`b1@127.0.0.1:${ports.join(':')}`] }));
    const topics = numbers(1, 100).map((n) => `t.${n}`);
    const messages = topics.map((topic) => ({ topic, data: 1 }));
    const ranks = rankAllBuckets([one.address(), two.address()]);
    const ofOne = topics.filter((topic) => ranks[bucketOf(topic)]![0] === 'b1').length;
    // The first ones may be for the second in rank, where a busy machine takes a second to connect.
    await until('every topic at its owner', async () => {
      const before = one.snapshot().ledger.forwarded;
      expect((await post(two.addresses.http, { messages })).status).toBe(202);
      return one.snapshot().ledger.forwarded - before === ofOne;
    });
  });

  it.each([
    ['not JSON', '{"topic":', 400],
    ['what is not UTF-8', Buffer.from('{"topic":"x","data":"\xff"}', 'latin1'), 400],
    ['no topic', { data: 1 }, 400],
    ['a bad topic', { topic: 'two words', data: 1 }, 400],
    ['no data', { topic: 'x' }, 400],
    ['an empty batch', { messages: [] }, 400],
    [
      'one bad message of two',
      [
        { topic: 'x', data: 1 },
        { topic: '', data: 1 },
      ],
      400,
    ],
    ['data nested too deeply', `{"topic":"x","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400],
    ['too much data', { topic: 'x', data: 'y'.repeat(70_000) }, 400],
    ['a body over 1 MB', { topic: 'x', data: 'y'.repeat(1_100_000) }, 413],
  ])('refuses %s and publishes nothing', async (_, body, status) => {
    const one = closeLater(await broker('b1'));
    const reply = await post(one.addresses.http, body);
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(await reply.json()).toMatchObject({ status, code: expect.any(String) as string });
    expect(one.snapshot().ledger.received).toBe(0);
  });

  it('reads no body of who has not the token', async () => {
    const one = closeLater(await broker('b1', { publishToken: 'a-publish-token-of-mine' }));
    const socket = connect(Number(new URL(one.addresses.http).port), '127.0.0.1');
    socket.write('POST /v1/publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    socket.write('Content-Length: 1000000\r\n\r\n[');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 401 /);
    socket.destroy();
  });

  it('refuses other types, pages and those without the token', async () => {
    const one = closeLater(await broker('b1', { publishToken: 'a-publish-token-of-mine' }));
    const url = one.addresses.http;
    expect((await post(url, { topic: 'x', data: 1 })).status).toBe(401);
    const token = { authorization: 'Bearer a-publish-token-of-mine' };
    expect(
      (await post(url, { topic: 'x', data: 1 }, { ...token, origin: 'http://page.example' })).status,
    ).toBe(403);
    const plain = await post(url, { topic: 'x', data: 1 }, { ...token, 'content-type': 'text/plain' });
    expect(await plain.json()).toMatchObject({
      status: 415,
      code: 'json-required',
      detail: 'content-type: expected application/json',
    });
    expect((await post(url, { topic: 'x', data: 1 }, token)).status).toBe(202);
    expect((await fetch(`${url}/v1/ledger`)).status).toBe(401);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});

describe('leaving loopback', () => {
  it('is refused without keys, and without a token for HTTP', async () => {
    await expect(broker('b1', { publishListen: '0.0.0.0:0' })).rejects.toThrow('set curvePublicKey');
    await expect(broker('b1', { httpListen: '0.0.0.0:0' })).rejects.toThrow('set publishToken');
  });

  it('works with CURVE keys, and not for who has none', async () => {
    const [server, client] = [curveKeyPair(), curveKeyPair()];
    const keys = { curvePublicKey: server.publicKey, curveSecretKey: server.secretKey };
    const one = closeLater(
      await broker('b1', { publishListen: '0.0.0.0:0', advertiseHost: '127.0.0.1', ...keys }),
    );
    const curve = { serverKey: server.publicKey, ...client };
    const heard = listener([one.address()], { curve });
    closeLater(heard.link);
    await heard.link.subscribe('c');
    const publisher = closeLater(await createPublisher({ brokers: [one.address()], curve }));
    await publisher.publish('c', 'secret');
    await until('the message', () => heard.messages.length === 1);
    const stranger = closeLater(await createPublisher({ brokers: [one.address()], giveUpMs: 700 }));
    await expect(stranger.publish('c', 'plain')).rejects.toThrow(
      `(not connected to b1 at ${one.address().publish}: one side encrypts`,
    );
    expect((await post(one.addresses.http, { topic: 'c', data: 2 })).status).toBe(202);
  });
});
