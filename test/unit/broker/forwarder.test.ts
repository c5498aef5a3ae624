import { expect, it } from 'vitest';
import { MESSAGE_FRAME_BYTES } from '../../../src/broker/core/pending-sections.ts';
import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import { PassingTraces } from '../../../src/broker/core/passing-traces.ts';
import { createForwarder } from '../../../src/broker/forwarder.ts';
import { PUBLICATION_LIMITS } from '../../../src/protocol/publication.ts';
import { aMessage } from './given.ts';

it('messages leave in the same turn once as many wait as an envelope should hold, and not before', () => {
  const core = new BrokerCore('e1', 'main', 0, DEFAULT_BROKER_LIMITS);
  let envelopes = 0;
  const forwarder = createForwarder({
    core,
    traces: new PassingTraces('b1', () => 0),
    listeners: { wide: true, narrow: new Set() },
    broadcast: () => (envelopes += 1),
    nowMs: () => 0,
    onSent: () => {},
  });
  const full = Math.ceil(PUBLICATION_LIMITS.targetFrameBytes / (1 + MESSAGE_FRAME_BYTES));
  for (let sequence = 0; sequence < full; sequence++) {
    expect(envelopes).toBe(0);
    core.accept({ batch: 1, messages: [aMessage(sequence, { data: Buffer.from('1') })] }, 0);
    forwarder.schedule();
  }
  expect([envelopes, core.pendingBytes]).toEqual([1, 0]);
});
