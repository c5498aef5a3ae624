import { expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { PassingTraces } from '../../../src/broker/core/passing-traces.ts';
import { createPublishDesk } from '../../../src/broker/publish-desk.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { encodePublishBatch } from '../../../src/protocol/publication.ts';

it('a drain is told to the publishers heard last, however many there were before', () => {
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  const told: string[] = [];
  const desk = createPublishDesk(
    core,
    new PassingTraces('b1', () => 0),
    (peer) => told.push(peer.toString()),
    () => 0,
    () => {},
  );
  const batch = encodePublishBatch(new ByteWriter(), { batch: 1, messages: [] });
  const publishes = (peer: string): void => desk.take(Buffer.from(peer), Buffer.from(batch));
  publishes('early');
  for (let i = 0; i < 9_999; i++) publishes(`gone-${i}`);
  publishes('early');
  for (let i = 0; i < 50; i++) publishes(`late-${i}`);
  desk.sendAcks();
  told.length = 0;
  desk.drain();
  desk.sendAcks();
  expect(told).toHaveLength(10_000);
  expect(told).toContain('early');
  expect(told).toContain('late-49');
  expect(told).not.toContain('gone-0');
});
