// The road from a publisher through real brokers to a gateway's link, while nothing goes wrong.

import { curveKeyPair, Dealer } from 'zeromq';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/daemon/clock.ts';
import type { TopicPosition } from '../../../src/gateway/core/feed-port.ts';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { rankAllBuckets } from '../../../src/protocol/bucket-owner.ts';
import type { Publisher } from '../../../src/publisher/index.ts';
import { createPublisher, PublishError } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { freePorts } from '../../launch/free-port.ts';
import { until } from '../../launch/until.ts';
import { broker, listener, numbers } from './rig.ts';

const publisherOf = async (options: Parameters<typeof createPublisher>[0]): Promise<Publisher> =>
  closeLater(await createPublisher(options));

describe('publish and deliver', () => {
  it('delivers over IPv6', async () => {
    const [publishListen, subscribeListen, repairListen] = (await freePorts(3)).map(
      (port) => `[::1]:${port}`,
    );
    const one = closeLater(await broker('b1', { publishListen, subscribeListen, repairListen }));
    expect(one.address().publish).toBe(`tcp://${publishListen}`);
    const heard = listener([one.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('news');
    const publisher = await publisherOf({ brokers: [one.address()] });
    await publisher.publish('news', 1);
    await until('the message', () => heard.messages.length > 0);
  });

  it.each([
    ['a host that is not this one', '192.0.2.9:7420', 'EADDRNOTAVAIL'],
    ['a name', 'broker.example:7420', 'ENODEV'],
  ])('does not start at %s, and says which option names it', async (_what, repairListen, code) => {
    const keys = curveKeyPair();
    const curve = { curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey };
    await expect(broker('b1', { ...curve, repairListen })).rejects.toThrow(
      `cannot listen on ${repairListen} (${code}); choose another with --repair-listen`,
    );
  });

  it('takes more publishers of one program than ZeroMQ has sockets by default', async () => {
    const one = closeLater(await broker('b1'));
    const brokers = [one.address()];
    const publishers = await Promise.all(numbers(1, 400).map(() => publisherOf({ brokers })));
    await Promise.all(publishers.map((publisher, i) => publisher.publish('many', i)));
  });

  it('goes on in a program that has no socket left, and connects when it has', async () => {
    const one = closeLater(await broker('b1'));
    const none = vi.spyOn(Dealer.prototype, 'connect').mockImplementation(() => {
      throw Object.assign(new Error('Too many open file descriptors'), { code: 'EMFILE' });
    });
    const publisher = await publisherOf({ brokers: [one.address()] }).catch((error: unknown) => {
      none.mockRestore();
      throw error;
    });
    const published = publisher.publish('x', 1);
    await until('a second try', () => none.mock.calls.length > 1).finally(() => none.mockRestore());
    await published;
  });

  it('delivers what was published, in order, each message once, with offsets that grow by one', async () => {
    const one = closeLater(await broker('b1'));
    const heard = listener([one.address()]);
    closeLater(heard.link);
    const head = await heard.link.subscribe('orders.eu');
    expect(head).toEqual({ epoch: one.address().epoch, offset: 0 });
    const publisher = await publisherOf({ brokers: [one.address()] });
    await Promise.all(numbers(1, 1_000).map((n) => publisher.publish('orders.eu', { n })));
    await until('1,000 messages', () => heard.messages.length >= 1_000);
    expect(heard.values('orders.eu')).toEqual(numbers(1, 1_000).map((n) => ({ n })));
    expect(heard.messages.map(({ offset }) => offset)).toEqual(numbers(1, 1_000));
    expect(heard.gaps).toEqual([]);
    expect(one.snapshot().ledger).toMatchObject({ received: 1_000, forwarded: 1_000, duplicates: 0 });
  });

  it('sees no lateness in the clock of a broker that is an hour slow', async () => {
    const epochMs = (): number => Date.now() - 3_600_000;
    const one = closeLater(await broker('b1', {}, { ...systemClock, epochMs }));
    const heard = listener([one.address()]);
    closeLater(heard.link);
    // So many that all probes come.
    await Promise.all(numbers(1, 100).map((n) => heard.link.subscribe(`room.${n}`)));
    await until('some probes', () => heard.link.snapshot().canaries > 8);
    expect(heard.link.snapshot().canaryMs).toBeLessThan(60_000);
  });

  it('spreads topics over brokers by owner and delivers them all', async () => {
    const brokers = await Promise.all(['b1', 'b2', 'b3'].map((id) => broker(id)));
    brokers.forEach(closeLater);
    const addresses = brokers.map((one) => one.address());
    const heard = listener(addresses);
    closeLater(heard.link);
    const topics = numbers(1, 200).map((n) => `room.${n}`);
    await Promise.all(topics.map((topic) => heard.link.subscribe(topic)));
    const publisher = await publisherOf({ brokers: addresses });
    await Promise.all(topics.flatMap((topic) => numbers(1, 5).map((n) => publisher.publish(topic, n))));
    await until('1,000 messages', () => heard.messages.length >= 1_000);
    for (const topic of topics) expect(heard.values(topic)).toEqual([1, 2, 3, 4, 5]);
    for (const one of brokers) expect(one.snapshot().ledger.forwarded).toBeGreaterThan(100);
  });

  it('answers a resume at any gateway from the ring of the owner', async () => {
    const brokers = await Promise.all(['b1', 'b2'].map((id) => broker(id)));
    brokers.forEach(closeLater);
    const addresses = brokers.map((one) => one.address());
    const publisher = await publisherOf({ brokers: addresses });
    await Promise.all(numbers(1, 50).map((n) => publisher.publish('chat.7', n)));
    const heard = listener(addresses);
    closeLater(heard.link);
    const head = await heard.link.subscribe('chat.7');
    expect(head.offset).toBe(50);
    const limits = { maxMessages: 300, maxBytes: 1_000_000 };
    const since = await heard.link.fetchSince('chat.7', { epoch: head.epoch, offset: 40 }, limits);
    expect(since).toMatchObject({ complete: true, head });
    expect(since.complete && since.messages.map(({ offset }) => offset)).toEqual(numbers(41, 50));
    const over = await heard.link.fetchSince(
      'chat.7',
      { epoch: head.epoch, offset: 1 },
      { ...limits, maxMessages: 10 },
    );
    expect(over).toMatchObject({ complete: false, why: 'over-limit' });
    const gone = await heard.link.fetchSince('chat.7', { epoch: 'other', offset: 40 }, limits);
    expect(gone).toMatchObject({ complete: false, why: 'epoch-gone' });
  });

  it('answers a resume with what another broker carried while the owner was away', async () => {
    const owner = closeLater(await broker('b1'));
    const { publish, subscribe, repair } = owner.address();
    const ports = [publish, subscribe, repair].map((url) => url.slice(url.lastIndexOf(':') + 1)).join(':');
    const other = closeLater(await broker('b2', { brokers: [`b1@127.0.0.1:${ports}`] }));
    const addresses = [owner.address(), other.address()];
    const topic = numbers(1, 50)
      .map((n) => `room.${n}`)
      .find((name) => rankAllBuckets(addresses)[bucketOf(name)]![0] === 'b1')!;
    const [own, detour] = [
      await publisherOf({ brokers: [owner.address()] }),
      await publisherOf({ brokers: [other.address()] }),
    ];
    const long = 'x'.repeat(5_000);
    const keptBytes = (): number => other.snapshot().standbyBytes;
    await own.publish(topic, long);
    await until('the copy of the first', () => keptBytes() > 5_000);
    for (const n of [2, 3]) await detour.publish(topic, n);
    await own.publish(topic, long);
    await until('the copy of the last', () => keptBytes() > 10_000);

    const heard = listener(addresses);
    closeLater(heard.link);
    const { epoch } = owner.address();
    expect(await heard.link.subscribe(topic)).toEqual({ epoch, offset: 2 });
    const limits = { maxMessages: 300, maxBytes: 1_000_000 };
    const places = async (offset: number, also?: TopicPosition[]): Promise<unknown> => {
      const since = await heard.link.fetchSince(topic, { epoch, offset, ...(also && { also }) }, limits);
      return since.complete && since.messages.map((message) => [message.epoch === epoch, message.offset]);
    };
    expect(await places(1)).toEqual([
      [false, 1],
      [false, 2],
      [true, 2],
    ]);
    // One that says how far it got with the other broker has all.
    expect(await places(2, [{ epoch: other.snapshot().epoch, offset: 2 }])).toEqual([]);
  });

  it('refuses what cannot be published, saying why', async () => {
    const publisher = await publisherOf({ brokers: [], giveUpMs: 200 });
    await expect(publisher.publish('two words', 1)).rejects.toThrow(PublishError);
    await expect(publisher.publish('x', undefined)).rejects.toMatchObject({ code: 'bad-json' });
    await expect(publisher.publish('x', 1n)).rejects.toMatchObject({ code: 'bad-json' });
    await expect(publisher.publish('x', 'y'.repeat(70_000))).rejects.toMatchObject({ code: 'too-large' });
    await expect(publisher.publish('x', 1)).rejects.toMatchObject({
      code: 'timeout',
      message: 'x: no broker acked it in time; it was not sent (none is named)',
    });
    await expect(createPublisher({ publisherId: 'my service' })).rejects.toThrow('publisherId: "my service"');
  });

  it('refuses a broker to which no socket can connect, and goes on with those it has', async () => {
    const one = closeLater(await broker('b1', { httpListen: '' }));
    const bad = { ...one.address(), id: 'b2', publish: 'tcp://_:7420' };
    const words = 'brokers: b2 is at "tcp://_:7420", expected a tcp://host:port endpoint';
    await expect(createPublisher({ brokers: [one.address(), bad] })).rejects.toThrow(words);
    const publisher = await publisherOf({ brokers: [one.address()] });
    expect(() => publisher.setBrokers([bad])).toThrow(words);
    await publisher.publish('x', 1);
  });

  it.each([
    { publisher: 'my service', sequence: 1 },
    { publisher: '', sequence: 1 },
    { publisher: 'p', sequence: -1 },
    { publisher: 'p', sequence: NaN },
    { publisher: 'p', sequence: 1, origin: 'my cluster' },
    { publisher: 'p', sequence: 1, hop: 256 },
    { publisher: 'p', sequence: 1, publishedAtMs: 1.7e18 },
  ])('refuses the identity %j alone, and takes what was published beside it', async (identity) => {
    const one = closeLater(await broker('b1', { httpListen: '' }));
    const publisher = await publisherOf({ brokers: [one.address()] });
    const bad = publisher.publishJson('x', Buffer.from('1'), identity);
    const good = publisher.publish('x', 2);
    await expect(bad).rejects.toMatchObject({ code: 'bad-identity' });
    await good;
    expect(one.snapshot().ledger).toMatchObject({ received: 1, forwarded: 1 });
  });

  it('learns of a broker while it closes, and owes nobody anything then', async () => {
    const one = closeLater(await broker('b1', { httpListen: '' }));
    const publisher = await createPublisher({ brokers: [] });
    const published = publisher.publish('x', 1);
    const closing = publisher.close();
    publisher.setBrokers([one.address()]);
    await published;
    await closing;
    publisher.setBrokers([{ ...one.address(), id: 'b2' }]);
    expect(publisher.snapshot().brokers).toEqual([]);
  });

  it('tells publishers apart that have one id, whatever the clock says', async () => {
    const one = closeLater(await broker('b1', { httpListen: '' }));
    const options = { brokers: [one.address()], publisherId: 'orders' };
    const first = await publisherOf(options);
    await first.publish('x', 1);
    const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    const second = await publisherOf(options);
    now.mockRestore();
    await second.publish('x', 2);
    await first.publish('x', 3);
    expect([first, second].every(({ id }) => id.startsWith('orders-'))).toBe(true);
    expect(one.snapshot().ledger).toMatchObject({ forwarded: 3, duplicates: 0 });
  });
});
