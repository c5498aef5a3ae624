// (7) Brings what the outbox owes to the brokers: in batches that grow while acks are under way, over a lane to each
// broker it knows. A broker that goes, falls silent or refuses is left, and the outbox gives its messages to the next.

import { every } from '../daemon/clock.ts';
import type { CurveClient } from '../daemon/zeromq-options.ts';
import { sameBrokers } from '../protocol/bucket-owner.ts';
import { ByteWriter } from '../protocol/bytes.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import {
  createFrameNames,
  decodePublishAck,
  encodePublishBatch,
  PUBLICATION_LIMITS,
} from '../protocol/publication.ts';
import { encodeTraceNotes } from '../protocol/publication-trace.ts';
import type { Outbox } from './core/outbox.ts';
import type { TraceNotes } from './core/trace-notes.ts';
import { followBrokers } from './discovery.ts';
import { Lanes } from './lanes.ts';
import { checkBrokers } from './publisher-options.ts';

const TICK_MS = 50;

export interface DispatchParts {
  outbox: Outbox;
  traces: TraceNotes;
  /** Asked for brokers from now on. */
  heralds: readonly string[];
  curve: CurveClient | undefined;
  nowMs: () => number;
  /** After each ack and each turn of the clock: something may have been settled. */
  onProgress: () => void;
}

export interface Dispatch {
  /** Something is to be sent: at the end of this turn of the loop, so that a burst goes together. */
  schedule(): void;
  /** Throws a RangeError, and keeps the old ones, for a list that cannot be. */
  setBrokers(brokers: readonly BrokerAddress[]): void;
  states(): { id: string; connected: boolean }[];
  /** Why nobody acks, as far as it shows here. */
  unreached(): string | undefined;
  /** Gives up on all that is not acked, and disconnects. */
  close(): void;
}

/** Throws a RangeError for brokers that cannot be; nothing is started then. */
export function startDispatch(parts: DispatchParts, brokers: readonly BrokerAddress[]): Dispatch {
  const { outbox, traces, heralds, nowMs, onProgress } = parts;
  const writer = new ByteWriter(PUBLICATION_LIMITS.targetFrameBytes);
  const names = createFrameNames();
  let known: readonly BrokerAddress[] = [];
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  const send = (broker: string): void => {
    while (lanes.isUp(broker)) {
      const batch = outbox.takeBatch(broker, nowMs());
      if (!batch) return;
      const frame = encodePublishBatch(writer, batch);
      const notes = traces.of(batch.messages);
      lanes.send(broker, frame, notes && encodeTraceNotes(writer, notes));
    }
  };
  const flush = (): void => {
    scheduled = undefined;
    // A broker with batches in flight is sent the next when it acks, unless a full one is ready.
    for (const broker of outbox.ready()) if (!outbox.isBusy(broker)) send(broker);
  };
  const schedule = (): void => {
    scheduled ??= setImmediate(flush);
  };
  const lanes = new Lanes(parts.curve, {
    onUp(broker) {
      outbox.laneUp(broker, nowMs());
      flush();
    },
    onDown(broker) {
      outbox.laneDown(broker, nowMs());
      schedule();
    },
    onFrame(broker, frame) {
      const ack = decodePublishAck(frame, names);
      if (!ack.ok) return;
      for (const one of ack.value.acks) outbox.acked(broker, one, nowMs());
      for (const ready of outbox.ready()) send(ready);
      onProgress();
    },
  });
  const setBrokers = (list: readonly BrokerAddress[]): void => {
    if (closed) return;
    checkBrokers(list);
    if (sameBrokers(known, list)) return;
    known = list;
    for (const broker of lanes.closeStray(list)) outbox.laneDown(broker, nowMs());
    outbox.setBrokers(list, nowMs());
    lanes.open(list);
    schedule();
  };

  // It throws for a bad list, so it comes before anything is started that would have to be stopped.
  setBrokers(brokers);
  const stopTicking = every(TICK_MS, () => {
    // Connected but silent: a fresh socket drops what was queued for it.
    for (const silent of outbox.tick(nowMs())) lanes.close(silent);
    lanes.open(known);
    flush();
    onProgress();
  });
  const stopFollowing = heralds.length > 0 ? followBrokers(heralds, setBrokers) : () => {};

  return {
    schedule,
    setBrokers,
    states: () => lanes.states(),
    unreached() {
      if (known.length === 0) {
        return heralds.length > 0 ? `${heralds.join(', ')} named none` : 'none is named';
      }
      if (lanes.states().some(({ connected }) => connected)) return undefined;
      const place = ({ id, publish }: BrokerAddress): string =>
        [`${id} at ${publish}`, lanes.refusalOf(id)].filter((part) => part !== '').join(': ');
      return `not connected to ${known.map(place).join(', ')}`;
    },
    close() {
      closed = true;
      stopTicking();
      stopFollowing();
      clearImmediate(scheduled);
      outbox.abandon();
      lanes.closeStray([]);
    },
  };
}
