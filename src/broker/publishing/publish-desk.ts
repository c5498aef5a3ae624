// (7) Takes batches from publishers and answers them in bulk: acks go out after the messages did, one frame a
// publisher a flush, however many batches it sent meanwhile.

import { ByteWriter } from '../../protocol/bytes.ts';
import { readConnectionName } from '../../protocol/connection-name.ts';
import type { BatchAck } from '../../protocol/publication.ts';
import { createFrameNames, decodePublishBatch, encodePublishAck } from '../../protocol/publication.ts';
import { decodeTraceNotes } from '../../protocol/publication-trace.ts';
import type { BrokerCore } from '../core/broker-core.ts';
import type { PassingTraces } from '../core/passing-traces.ts';

/**
 * Publishers that are told of a drain, and whose connections are told apart: those heard last. More than that find out
 * by their next batch.
 */
const MAX_PUBLISHERS = 10_000;
/** Batch number of an ack that answers no batch and only tells the state. */
const NOTICE_BATCH = 0;
/** Between two looks at the clock. */
export const LOOK_MS = 250;
/** Between two looks that came so late, this process slept for two seconds. */
const SLEPT_MS = 2_000 + LOOK_MS;

export interface PublishDesk {
  take(peer: Buffer, frame: Buffer, notes?: Buffer): void;
  /** Each `LOOK_MS`. */
  look(): void;
  /** Sends the acks of everything taken so far. Call it after forwarding. */
  sendAcks(): void;
  /** The same, to be sent when what it answers is kept. */
  takeAcks(): () => void;
  /** From now on batches are turned away; every known publisher is told. */
  drain(): void;
}

export interface PublishDeskParts {
  core: BrokerCore;
  traces: PassingTraces;
  reply: (peer: Buffer, frame: Uint8Array) => void;
  nowMs: () => number;
  /** A batch was taken, so there may be something to forward. */
  onAccepted: () => void;
}

export function createPublishDesk({ core, traces, reply, nowMs, onAccepted }: PublishDeskParts): PublishDesk {
  const names = createFrameNames();
  const writer = new ByteWriter();
  let waiting = new Map<string, { peer: Buffer; acks: BatchAck[] }>();
  /** By the name that all connections of one share: the latest. */
  const publishers = new Map<string, { peer: Buffer; number: number }>();
  let draining = false;
  let lookedMs = nowMs();

  /**
   * After 2 s without a word publishers give a connection up and send again elsewhere. What they had sent on it and is
   * read only now could be so old that nobody knows it for a second copy any more.
   */
  const look = (): void => {
    const now = nowMs();
    const slept = now - lookedMs > SLEPT_MS;
    lookedMs = now;
    if (!slept) return;
    // A peer without numbers may go on with the connection it has.
    for (const publisher of publishers.values()) if (publisher.number > 0) publisher.number += 1;
  };
  /** False for what its publisher gave up: it speaks on a later connection already. */
  const meet = (peer: Buffer): boolean => {
    const { peer: name, number } = readConnectionName(peer.toString('latin1'));
    const known = publishers.get(name);
    if (known && known.number > number) return false;
    publishers.delete(name);
    publishers.set(name, { peer, number });
    if (publishers.size > MAX_PUBLISHERS) publishers.delete(publishers.keys().next().value!);
    return true;
  };
  const note = (peer: Buffer, ack: BatchAck): void => {
    const key = peer.toString('latin1');
    const entry = waiting.get(key);
    if (entry) entry.acks.push(ack);
    else waiting.set(key, { peer, acks: [ack] });
  };
  const takeAcks = (): (() => void) => {
    const taken = waiting;
    waiting = new Map();
    return () => {
      for (const { peer, acks } of taken.values()) {
        reply(peer, encodePublishAck(writer, { epoch: core.epoch, acks }));
      }
    };
  };
  const sendAcks = (): void => takeAcks()();

  return {
    take(peer, frame, notes) {
      const batch = decodePublishBatch(frame, names);
      if (!batch.ok) {
        // Without a batch number there is nothing to answer; the publisher's deadline tells its owner.
        core.noteBadFrame();
        return;
      }
      if (!draining) look();
      if (!meet(peer)) return;
      if (draining) {
        note(peer, core.turnAway(batch.value));
        sendAcks();
        return;
      }
      const noted = notes && decodeTraceNotes(notes, names);
      if (noted?.ok) traces.received(noted.value, batch.value.messages);
      note(peer, core.accept(batch.value, nowMs()));
      onAccepted();
    },
    look,
    sendAcks,
    takeAcks,
    drain() {
      draining = true;
      for (const { peer } of publishers.values()) {
        note(peer, { batch: NOTICE_BATCH, status: 'draining', refused: [] });
      }
    },
  };
}
