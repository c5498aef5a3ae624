// Strangers on every ZeroMQ port of a broker: raw garbage on the socket, well-made ZeroMQ messages that are none of
// ours, frames above the limit. The broker lives, counts them, and the traffic of the others goes on.

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Dealer, XSubscriber } from 'zeromq';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { PUBLICATION_LIMITS } from '../../../src/protocol/publication.ts';
import { LANE } from '../../../src/protocol/publication-envelope.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { until } from '../../launch/until.ts';
import { broker, listener, numbers } from './rig.ts';

const PEERS = 50;
const OVERSIZED = PUBLICATION_LIMITS.maxFrameBytes + 131_072;

async function rawPeer(endpoint: string, bytes: Buffer): Promise<Socket> {
  const port = Number(endpoint.slice(endpoint.lastIndexOf(':') + 1));
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  // Or its end would never be noticed.
  socket.resume();
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

describe('strangers on the ports of a broker', () => {
  it('are counted or cut off, and cost the others nothing', async () => {
    const one = closeLater(await broker('b1'));
    const { publish, subscribe, repair } = one.addresses;
    const heard = listener([one.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('calm');
    const publisher = closeLater(await createPublisher({ brokers: [one.address()] }));

    // Neither a ZMTP greeting nor silence: a flood of it, and peers that say nothing at all.
    const raw: Socket[] = [];
    for (const endpoint of [publish, subscribe, repair]) {
      for (let i = 0; i < PEERS; i++) raw.push(await rawPeer(endpoint, Buffer.alloc(i * 37, i)));
    }
    // ZeroMQ peers whose messages are no frames of ours, in one part and in many.
    for (const endpoint of [publish, repair]) {
      const dealer = closeLater(new Dealer({ linger: 0 }));
      dealer.connect(endpoint);
      for (let i = 0; i < PEERS; i++) await dealer.send(Buffer.alloc(i, i));
      await dealer.send([Buffer.from('P'), Buffer.alloc(300), Buffer.alloc(0)]);
    }
    const odd = closeLater(new XSubscriber({ linger: 0 }));
    odd.connect(subscribe);
    for (let i = 0; i < PEERS; i++) await odd.send(Buffer.concat([Buffer.of(i % 3), Buffer.alloc(i, 255)]));
    // One frame above the limit: the peer is cut off, the frame is never taken.
    const large = closeLater(new Dealer({ linger: 0 }));
    const cut = new Promise((resolve) => large.events.on('disconnect', resolve));
    large.connect(publish);
    await large.send(Buffer.alloc(OVERSIZED));
    await cut;

    await Promise.all(numbers(1, 500).map((n) => publisher.publish('calm', n)));
    await until('the traffic of the others', () => heard.messages.length === 500);
    expect(heard.values('calm')).toEqual(numbers(1, 500));
    expect(heard.gaps).toEqual([]);
    const { refused } = one.snapshot().ledger;
    // Empty messages are none to a ROUTER's reader either: all are counted.
    await until(
      'every bad frame in the books',
      () => one.snapshot().ledger.refused['bad-frame'] >= 2 * PEERS,
    );
    expect(refused['bad-json']).toBe(0);
    // Who never finishes the handshake is let go after 3 s.
    await until('no stranger left', () => raw.every((socket) => socket.closed), 20_000);
  });

  it('cannot end the subscriptions of others', async () => {
    const one = closeLater(await broker('b1'));
    const heard = listener([one.address()]);
    closeLater(heard.link);
    await heard.link.subscribe('calm');
    const publisher = closeLater(await createPublisher({ brokers: [one.address()] }));
    const odd = closeLater(new XSubscriber({ linger: 0 }));
    odd.connect(one.addresses.subscribe);
    // Neither 1 nor 0, so no subscription; what follows it is one, and shows that it was read.
    await odd.send(Buffer.of(2, bucketOf('calm'), LANE.narrow));
    await odd.send(Buffer.of(1, bucketOf('other'), LANE.narrow));
    const listening = odd.receive();
    let isRead = false;
    void listening.then(() => (isRead = true));
    await until('the stranger to listen', async () => {
      await publisher.publish('other', 0);
      return isRead;
    });
    await publisher.publish('calm', 0);
    await until('the first message', () => heard.messages.length === 1);
    const { repaired } = heard.link.snapshot();
    await Promise.all(numbers(1, 100).map((n) => publisher.publish('calm', n)));
    await until('100 messages', () => heard.messages.length === 101);
    // Sent, and not fetched by repair a second later.
    expect(heard.link.snapshot().repaired).toBe(repaired);
  });
});
