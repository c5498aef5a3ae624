// What the tests of brokers, feeds and links start from.

import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import type { Section, SequencedMessage } from '../../../src/protocol/publication-envelope.ts';

/** A broker of which nothing but its name matters; its life has the same one. Nobody need be there. */
export function anAddress(id: string): BrokerAddress {
  return {
    id,
    publish: 'tcp://127.0.0.1:7420',
    subscribe: 'tcp://127.0.0.1:7430',
    repair: 'tcp://127.0.0.1:7440',
    http: '',
    epoch: id,
    state: 'up',
  };
}

/** Number `offset` of its topic, and that number as its JSON and as its publisher's sequence. */
export function aMessage(offset: number, fields: Partial<SequencedMessage> = {}): SequencedMessage {
  return {
    topic: 't',
    data: Buffer.from(String(offset)),
    source: { publisher: 'p', origin: 'main', hop: 0 },
    sequence: offset,
    flags: 0,
    publishedAtMs: 0,
    offset,
    ...fields,
  };
}

/** Messages `first` to `last` of a topic. */
export function messages(first: number, last: number, topic = 't'): SequencedMessage[] {
  return Array.from({ length: last - first + 1 }, (_, i) => aMessage(first + i, { topic }));
}

/** A section of a bucket with one topic, so that sequences are offsets. */
export function aSection(bucket: number, first: number, count: number): Section {
  return { bucket, firstSequence: first, messages: messages(first, first + count - 1) };
}
