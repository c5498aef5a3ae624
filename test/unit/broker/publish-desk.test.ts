import { expect, it } from 'vitest';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { PassingTraces } from '../../../src/broker/core/passing-traces.ts';
import type { PublishDesk } from '../../../src/broker/publishing/publish-desk.ts';
import { createPublishDesk, LOOK_MS } from '../../../src/broker/publishing/publish-desk.ts';
import { ByteWriter } from '../../../src/protocol/bytes.ts';
import { encodePublishBatch } from '../../../src/protocol/publication.ts';

const batch = Buffer.from(encodePublishBatch(new ByteWriter(), { batch: 1, messages: [] }));

/** `told` = whom it answered, each time. */
function aDesk(): { desk: PublishDesk; told: string[]; passMs: (ms: number) => void } {
  const told: string[] = [];
  let nowMs = 0;
  const desk = createPublishDesk({
    core: new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS),
    traces: new PassingTraces('b1', () => 0),
    reply: (peer) => told.push(peer.toString('latin1')),
    nowMs: () => nowMs,
    onAccepted() {},
  });
  return { desk, told, passMs: (ms) => void (nowMs += ms) };
}

it('what its publisher gave up is not taken once it speaks on a later connection', () => {
  const { desk, told: answered } = aDesk();
  // Names that ZeroMQ made up tell nothing of each other.
  for (const peer of ['p/b1/7', 'p/b1/10', 'p/b1/7', 'p/b2/1', 'q/b1/1', '\0ab/9', '\0ab/1', 'p/b1/10']) {
    desk.take(Buffer.from(peer, 'latin1'), batch);
    desk.sendAcks();
  }
  expect(answered).toEqual(['p/b1/7', 'p/b1/10', 'p/b2/1', 'q/b1/1', '\0ab/9', '\0ab/1', 'p/b1/10']);
});

it('what was sent before a sleep in which its publisher gave up is not taken after it', () => {
  const { desk, told, passMs } = aDesk();
  const publishes = (...peers: string[]): void => {
    for (const peer of peers) desk.take(Buffer.from(peer, 'latin1'), batch);
    desk.sendAcks();
  };
  publishes('p/b1/1', 'q/b1/3', '\0ab');
  passMs(2_000 + LOOK_MS);
  publishes('p/b1/1');
  desk.look();
  passMs(2_001 + LOOK_MS);
  publishes('p/b1/1', 'q/b1/3', '\0ab', 'p/b1/2', 'p/b1/1');
  passMs(LOOK_MS);
  publishes('q/b1/3', 'q/b1/4');
  expect(told).toEqual(['p/b1/1', 'q/b1/3', '\0ab', 'p/b1/1', '\0ab', 'p/b1/2', 'q/b1/4']);
});

it('a drain is told to the publishers heard last, however many there were before', () => {
  const { desk, told } = aDesk();
  const publishes = (peer: string): void => desk.take(Buffer.from(peer), batch);
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
