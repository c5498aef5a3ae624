// (7) A publisher: publish() resolves when a broker has taken the message; under load many messages share a frame. A
// broker that dies costs nothing: what it had not acked, and what it acked in the last two seconds, goes to the
// next one under the same identity and is delivered once.

import { createAwakeClock, createFineClock, every } from '../daemon/clock.ts';
import { sameBrokers } from '../protocol/bucket-owner.ts';
import { ByteWriter } from '../protocol/bytes.ts';
import { asJson } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { Source } from '../protocol/publication.ts';
import {
  createFrameNames,
  decodePublishAck,
  encodePublishBatch,
  PUBLICATION_LIMITS,
} from '../protocol/publication.ts';
import { encodeTraceNotes, TRACE_ONE_IN } from '../protocol/publication-trace.ts';
import type { OutboxLimits } from './core/outbox.ts';
import { Outbox } from './core/outbox.ts';
import type { OutboxMessage } from './core/outbox-lane.ts';
import { TraceNotes } from './core/trace-notes.ts';
import { askForBrokers, followBrokers } from './discovery.ts';
import type { PublishIdentity } from './identity.ts';
import { nameOfLife } from './identity.ts';
import { Lanes } from './lanes.ts';
import { publicationProblem } from './publication-problem.ts';
import { PublishError } from './publisher-errors.ts';
import type { Publisher, PublisherOptions, PublishHow } from './publisher-options.ts';
import { checkBrokers, limitsOf } from './publisher-options.ts';

const TICK_MS = 50;

/**
 * Starts a publisher. Resolves once the first list of brokers is there, or could not be had. Rejects with a RangeError
 * that names the option which cannot be.
 */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const limits = limitsOf(options);
  const heralds = options.heralds ?? [];
  const brokers = (await askForBrokers(heralds)) ?? options.brokers ?? [];
  return startPublisher(options, limits, heralds, brokers);
}

function startPublisher(
  options: PublisherOptions,
  limits: OutboxLimits,
  heralds: readonly string[],
  brokers: readonly BrokerAddress[],
): Publisher {
  const id = nameOfLife(options.publisherId);
  const giveUpMs = options.giveUpMs ?? 10_000;
  const own: Source = { publisher: id, origin: '', hop: 0 };
  const outbox = new Outbox(limits);
  const writer = new ByteWriter(PUBLICATION_LIMITS.targetFrameBytes);
  const names = createFrameNames();
  const traces = new TraceNotes(id, options.traceOneIn ?? TRACE_ONE_IN, createFineClock());
  // Time in which this process was stopped does not count against a broker: its acks may lie in the socket.
  const nowMs = createAwakeClock();
  let known: readonly BrokerAddress[] = [];
  let sequence = 0;
  let scheduled: NodeJS.Immediate | undefined;
  let closing: Promise<void> | undefined;
  let disconnected = false;
  let onIdle: () => void = () => {};
  const counts = { published: 0, acked: 0, failed: 0 };

  /** Nothing is owed to anybody: what a dead broker had acked counts as well. */
  const isIdle = (): boolean => outbox.open === 0 && outbox.resending === 0;

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
  const lanes = new Lanes(options.curve, {
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
      if (isIdle()) onIdle();
    },
  });
  const setBrokers = (list: readonly BrokerAddress[]): void => {
    if (disconnected || sameBrokers(known, list)) return;
    checkBrokers(list);
    known = list;
    for (const broker of lanes.closeStray(list)) outbox.laneDown(broker, nowMs());
    outbox.setBrokers(list, nowMs());
    lanes.open(list);
    schedule();
  };

  /** Why nobody acks, as far as it shows here. */
  const unreached = (): string | undefined => {
    if (known.length === 0) return heralds.length > 0 ? `${heralds.join(', ')} named none` : 'none is named';
    if (lanes.states().some(({ connected }) => connected)) return undefined;
    const place = ({ id, publish }: BrokerAddress): string =>
      [`${id} at ${publish}`, lanes.refusalOf(id)].filter((part) => part !== '').join(': ');
    return `not connected to ${known.map(place).join(', ')}`;
  };

  // It throws for a bad list, so it comes before anything is started that would have to be stopped.
  setBrokers(brokers);
  const stopTicking = every(TICK_MS, () => {
    // Connected but silent: a fresh socket drops what was queued for it.
    for (const silent of outbox.tick(nowMs())) lanes.close(silent);
    lanes.open(known);
    flush();
    if (isIdle()) onIdle();
  });
  // A program does not end while it waits to hear what became of a message; the other timers would let it.
  const processHold = setInterval(() => {}, 60_000).unref();
  const stopFollowing = heralds.length > 0 ? followBrokers(heralds, setBrokers) : () => {};

  const publishJson = (
    topic: string,
    data: Uint8Array,
    identity?: PublishIdentity,
    how?: PublishHow,
  ): Promise<void> => {
    const problem = closing ? new PublishError('closed', topic) : publicationProblem(topic, data, identity);
    if (problem) return Promise.reject(problem);
    return new Promise((resolve, reject) => {
      const source = identity
        ? { publisher: identity.publisher, origin: identity.origin ?? '', hop: identity.hop ?? 0 }
        : own;
      const message: OutboxMessage = {
        topic,
        data,
        source,
        sequence: identity?.sequence ?? sequence,
        flags: 0,
        publishedAtMs: identity?.publishedAtMs ?? Date.now(),
        deadlineMs: nowMs() + giveUpMs,
        settle(outcome, wasSent) {
          if (outbox.open === 0) processHold.unref();
          if (outcome === 'acked') {
            counts.acked += 1;
            resolve();
          } else {
            counts.failed += 1;
            const because = outcome === 'timeout' ? unreached() : undefined;
            reject(new PublishError(outcome, topic, { wasSent, because }));
          }
        },
      };
      if (how?.trace === true || traces.samples(source.publisher, message.sequence)) traces.begin(message);
      if (outbox.add(message)) {
        if (!identity) sequence += 1;
        counts.published += 1;
        processHold.ref();
        schedule();
      } else reject(new PublishError('queue-full', topic));
    });
  };
  const encoder = new TextEncoder();
  const close = async (): Promise<void> => {
    processHold.ref();
    await new Promise<void>((resolve) => {
      if (isIdle()) resolve();
      onIdle = resolve;
      setTimeout(resolve, giveUpMs).unref();
    });
    disconnected = true;
    clearInterval(processHold);
    stopTicking();
    stopFollowing();
    clearImmediate(scheduled);
    outbox.abandon();
    lanes.closeStray([]);
  };

  return {
    id,
    publish(topic, data, how) {
      const json = asJson(data);
      if (json === undefined) return Promise.reject(new PublishError('bad-json', topic));
      return publishJson(topic, encoder.encode(json), undefined, how);
    },
    publishJson,
    setBrokers,
    snapshot: () => ({
      ...counts,
      waiting: outbox.open,
      resent: outbox.resent,
      forgotten: outbox.forgotten,
      brokers: lanes.states(),
    }),
    close: () => (closing ??= close()),
  };
}
