// (7) What a broker says each second, unasked: where its buckets stand, so that a loss at the tail shows too, and a
// probe through every group of buckets.

import type { Clock } from '../daemon/clock.ts';
import { ByteWriter } from '../protocol/bytes.ts';
import type { Heads } from '../protocol/publication-envelope.ts';
import { encodeHeads } from '../protocol/publication-envelope.ts';
import { canaryRound, canaryTopics } from './canary.ts';
import type { BrokerCore } from './core/broker-core.ts';
import type { Forwarder } from './forwarder.ts';

export interface HeartbeatParts {
  broker: string;
  core: BrokerCore;
  forwarder: Forwarder;
  broadcast: (frame: Uint8Array) => void;
  clock: Clock;
}

export interface Heartbeat {
  /** The heads and a probe. */
  beat(state: Heads['state']): void;
  /** The heads alone. */
  sendHeads(state: Heads['state']): void;
}

export function createHeartbeat({ broker, core, forwarder, broadcast, clock }: HeartbeatParts): Heartbeat {
  const writer = new ByteWriter();
  const topics = canaryTopics();
  let round = 0;

  const sendHeads = (state: Heads['state']): void => {
    // What is counted in the heads must have left before them, or gateways would miss it and ask.
    forwarder.flush();
    const { epoch } = core;
    broadcast(encodeHeads(writer, { broker, epoch, state, nowMs: clock.epochMs(), heads: core.heads() }));
  };
  const probe = (): void => {
    const data = Buffer.from(JSON.stringify({ broker, round, steadyMs: Math.round(clock.nowMs()) }));
    for (const topic of canaryRound(topics, round)) {
      const sequence = round * topics.length + topics.indexOf(topic);
      core.acceptCanary(topic, data, sequence, clock.nowMs(), clock.epochMs());
    }
    round += 1;
    forwarder.schedule();
  };

  return {
    sendHeads,
    beat(state) {
      sendHeads(state);
      // Counted in the next heads, by when they have arrived: nobody sends a probe again that died with its
      // broker, so one that is counted and missing would look like a lost message of a bucket.
      probe();
    },
  };
}
