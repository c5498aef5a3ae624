// What a broker makes of a publisher that gave it up and came back.

import { expect, it, onTestFinished } from 'vitest';
import type { OwnSockets } from '../../../src/broker/broker-zmq.ts';
import { openOwnSockets } from '../../../src/broker/broker-zmq.ts';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { PassingTraces } from '../../../src/broker/core/passing-traces.ts';
import { createPublishDesk } from '../../../src/broker/publishing/publish-desk.ts';
import { ByteReader, ByteWriter } from '../../../src/protocol/bytes.ts';
import { createFrameNames, encodePublishBatch } from '../../../src/protocol/publication.ts';
import { readSection } from '../../../src/protocol/publication-envelope.ts';
import { Lanes } from '../../../src/publisher/lanes.ts';
import { until } from '../../launch/until.ts';
import { aMessage } from '../../unit/broker/given.ts';

const LATER = 1_000;

async function brokerThatDoesNotRead(): Promise<OwnSockets> {
  const free = 'tcp://127.0.0.1:0';
  const sockets = await openOwnSockets({
    publish: free,
    subscribe: free,
    repair: free,
    lingerMs: 0,
    onError: (_socket, error) => {
      throw error;
    },
  });
  onTestFinished(() => sockets.close());
  return sockets;
}

it('what it has not read of the connection before is not read between what comes on the next', async () => {
  const sockets = await brokerThatDoesNotRead();
  const address = { ...sockets.endpoints, id: 'b', http: '', epoch: 'e', state: 'up' } as const;
  const publisher = (): { lanes: Lanes; isUp: () => Promise<boolean> } => {
    const lanes = new Lanes(undefined, { onUp: () => {}, onDown: () => {}, onFrame: () => {} });
    onTestFinished(() => void lanes.closeStray([]));
    lanes.open([address]);
    return { lanes, isUp: () => until('the lane', () => lanes.isUp('b')) };
  };
  /** All connections share a thread that moves bytes: what was sent before a handshake has arrived after it. */
  const everythingArrived = async (): Promise<Lanes> => {
    const another = publisher();
    await another.isUp();
    return another.lanes;
  };
  let batches = 0;
  const batch = (sequence: number): Buffer => {
    const message = aMessage(sequence);
    return Buffer.from(encodePublishBatch(new ByteWriter(), { batch: ++batches, messages: [message] }));
  };
  const { lanes, isUp } = publisher();
  await isUp();
  for (let sequence = 1; sequence <= 20; sequence++) lanes.send('b', batch(sequence), undefined);
  await everythingArrived();
  lanes.close('b');
  lanes.open([address]);
  await isUp();
  lanes.send('b', batch(LATER), undefined);
  const another = await everythingArrived();

  const taken: number[] = [];
  const core = new BrokerCore('e', 'main', 0, DEFAULT_BROKER_LIMITS);
  const desk = createPublishDesk({
    core,
    traces: new PassingTraces('b', () => 0),
    reply() {},
    nowMs: () => 0,
    onAccepted() {
      for (const { bytes } of core.takeSections()) {
        const { messages } = readSection(new ByteReader(bytes), createFrameNames());
        taken.push(...messages.map(({ sequence }) => sequence));
      }
    },
  });
  sockets.read(
    (peer, frame) => desk.take(peer, frame),
    () => {},
  );
  await until('the later connection', () => taken.includes(LATER));
  // Peers are read in turn: by then anything else has had its turn as well.
  for (let i = 1; i <= 40; i++) another.send('b', batch(LATER + i), undefined);
  await until('the end', () => taken.includes(LATER + 40));
  expect(taken.slice(taken.indexOf(LATER)).filter((sequence) => sequence < LATER)).toEqual([]);
});
