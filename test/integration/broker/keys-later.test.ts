// A broker that was started without its keys, and those who met it then. The library would never ask it again.

import { expect, it } from 'vitest';
import { makeCurveKeys } from '../../../src/cli/keys-zmq.ts';
import type { LogFields } from '../../../src/daemon/log.ts';
import { silentLog } from '../../../src/daemon/log.ts';
import { createPublisher } from '../../../src/publisher/index.ts';
import { closeLater } from '../../launch/close-later.ts';
import { until } from '../../launch/until.ts';
import { broker, listener, samePlace } from './rig.ts';

it('says who is let in nowhere and why, and comes in once the broker has its keys', async () => {
  const [server, own] = [makeCurveKeys(), makeCurveKeys()];
  const curve = { ...own, serverKey: server.publicKey };
  const plain = await broker('b1');
  const brokers = [plain.address()];
  const events: [string, LogFields][] = [];
  const note = (event: string, fields: LogFields = {}): void => void events.push([event, fields]);
  const heard = listener(brokers, { curve, log: { ...silentLog, info: note, warn: note } });
  closeLater(heard.link);
  const publisher = closeLater(await createPublisher({ brokers, curve, giveUpMs: 1_000 }));
  await expect(publisher.publish('news', 1)).rejects.toThrow(/not connected to b1 at .*: one side encrypts/);
  await until('the word of it', () => events.length > 0);
  expect(events).toEqual([
    [
      'broker-unreachable',
      expect.objectContaining({ broker: 'b1', why: expect.stringContaining('encrypts') }),
    ],
  ]);

  await plain.close();
  const { publicKey: curvePublicKey, secretKey: curveSecretKey } = server;
  const place = await samePlace(brokers[0]!);
  closeLater(await broker('b1', { ...place, curvePublicKey, curveSecretKey }));
  await heard.link.subscribe('news');
  await until('a message', async () => {
    await publisher.publish('news', 2).catch(() => {});
    return heard.messages.length > 0;
  });
  // That connections end with the link is no news.
  await heard.link.close();
  expect(events.map(([event]) => event)).toEqual(['broker-unreachable', 'broker-connected']);
});
