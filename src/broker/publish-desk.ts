// Takes batches from publishers and answers them in bulk: acks go out after the messages did, one frame a
// publisher a flush, however many batches it sent meanwhile.

import { ByteWriter } from '../protocol/bytes.ts';
import type { BatchAck } from '../protocol/publication.ts';
import { createFrameNames, decodePublishBatch, encodePublishAck } from '../protocol/publication.ts';
import { decodeTraceNotes } from '../protocol/publication-trace.ts';
import type { BrokerCore } from './core/broker-core.ts';
import type { PassingTraces } from './core/passing-traces.ts';

/** Publishers told of a drain, those heard last; more than that find out by their next batch. */
const MAX_PUBLISHERS = 10_000;
/** Batch number of an ack that answers no batch and only tells the state. */
const NOTICE_BATCH = 0;

export interface PublishDesk {
  take(peer: Buffer, frame: Buffer, notes?: Buffer): void;
  /** Sends the acks of everything taken so far. Call it after forwarding. */
  sendAcks(): void;
  /** From now on batches are turned away; every known publisher is told. */
  drain(): void;
}

export function createPublishDesk(
  core: BrokerCore,
  traces: PassingTraces,
  reply: (peer: Buffer, frame: Uint8Array) => void,
  nowMs: () => number,
  accepted: () => void,
): PublishDesk {
  const names = createFrameNames();
  const writer = new ByteWriter();
  const waiting = new Map<string, { peer: Buffer; acks: BatchAck[] }>();
  const publishers = new Map<string, Buffer>();
  let draining = false;

  const note = (peer: Buffer, ack: BatchAck): void => {
    const key = peer.toString('latin1');
    publishers.delete(key);
    publishers.set(key, peer);
    if (publishers.size > MAX_PUBLISHERS) publishers.delete(publishers.keys().next().value!);
    const entry = waiting.get(key);
    if (entry) entry.acks.push(ack);
    else waiting.set(key, { peer, acks: [ack] });
  };
  const sendAcks = (): void => {
    for (const { peer, acks } of waiting.values()) {
      reply(peer, encodePublishAck(writer, { epoch: core.epoch, acks }));
    }
    waiting.clear();
  };

  return {
    take(peer, frame, notes) {
      const batch = decodePublishBatch(frame, names);
      if (!batch.ok) {
        // Without a batch number there is nothing to answer; the publisher's deadline tells its owner.
        core.noteBadFrame();
        return;
      }
      if (draining) {
        note(peer, core.turnAway(batch.value));
        sendAcks();
        return;
      }
      const noted = notes && decodeTraceNotes(notes, names);
      if (noted?.ok) traces.received(noted.value, batch.value.messages);
      note(peer, core.accept(batch.value, nowMs()));
      accepted();
    },
    sendAcks,
    drain() {
      draining = true;
      for (const peer of [...publishers.values()]) {
        note(peer, { batch: NOTICE_BATCH, status: 'draining', refused: [] });
      }
    },
  };
}
