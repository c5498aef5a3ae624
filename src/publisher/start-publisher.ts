// (7) A publisher: publish() resolves when a broker has taken the message; under load many messages share a frame. A
// broker that dies costs nothing: what it had not acked, and what it acked in the last two seconds, goes to the
// next one under the same identity and is delivered once.

import { createAwakeClock, createFineClock } from '../daemon/clock.ts';
import { asJson } from '../protocol/decode.ts';
import type { BrokerAddress } from '../protocol/broker-address.ts';
import type { Source } from '../protocol/publication.ts';
import { TRACE_ONE_IN } from '../protocol/publication-trace.ts';
import type { OutboxLimits } from './core/outbox.ts';
import { Outbox } from './core/outbox.ts';
import type { OutboxMessage } from './core/outbox-lane.ts';
import { TraceNotes } from './core/trace-notes.ts';
import { askForBrokers } from './discovery.ts';
import { startDispatch } from './dispatch.ts';
import type { PublishIdentity } from './identity.ts';
import { nameOfLife } from './identity.ts';
import { publicationProblem } from './publication-problem.ts';
import { PublishError } from './publisher-errors.ts';
import type { Publisher, PublisherOptions, PublishHow } from './publisher-options.ts';
import { limitsOf } from './publisher-options.ts';

/**
 * Starts a publisher. Resolves once the first list of brokers is there, or could not be had. Rejects with a RangeError
 * that names the option which cannot be.
 */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const limits = limitsOf(options);
  const brokers = (await askForBrokers(options.heralds ?? [])) ?? options.brokers;
  return startPublisher(options, limits, brokers);
}

function startPublisher(
  options: PublisherOptions,
  limits: OutboxLimits,
  brokers: readonly BrokerAddress[] = [],
): Publisher {
  const id = nameOfLife(options.publisherId);
  const giveUpMs = options.giveUpMs ?? 10_000;
  const own: Source = { publisher: id, origin: '', hop: 0 };
  const outbox = new Outbox(limits);
  const traces = new TraceNotes(id, options.traceOneIn ?? TRACE_ONE_IN, createFineClock());
  // Time in which this process was stopped does not count against a broker: its acks may lie in the socket.
  const nowMs = createAwakeClock();
  let sequence = 0;
  let closing: Promise<void> | undefined;
  let onIdle: () => void = () => {};
  const counts = { published: 0, acked: 0, failed: 0 };

  /** Nothing is owed to anybody: what a dead broker had acked counts as well. */
  const isIdle = (): boolean => outbox.open === 0 && outbox.resending === 0;
  const dispatch = startDispatch(
    {
      outbox,
      traces,
      heralds: options.heralds ?? [],
      curve: options.curve,
      nowMs,
      onProgress() {
        if (isIdle()) onIdle();
      },
    },
    brokers,
  );
  // A program does not end while it waits to hear what became of a message; the other timers would let it.
  const processHold = setInterval(() => {}, 60_000).unref();

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
            const because = outcome === 'timeout' ? dispatch.unreached() : undefined;
            reject(new PublishError(outcome, topic, { wasSent, because }));
          }
        },
      };
      if (how?.trace === true || traces.samples(source.publisher, message.sequence)) traces.begin(message);
      if (outbox.add(message)) {
        if (!identity) sequence += 1;
        counts.published += 1;
        processHold.ref();
        dispatch.schedule();
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
    clearInterval(processHold);
    dispatch.close();
  };

  return {
    id,
    publish(topic, data, how) {
      const json = asJson(data);
      if (json === undefined) return Promise.reject(new PublishError('bad-json', topic));
      return publishJson(topic, encoder.encode(json), undefined, how);
    },
    publishJson,
    setBrokers: (list) => dispatch.setBrokers(list),
    snapshot: () => ({
      ...counts,
      waiting: outbox.open,
      resent: outbox.resent,
      forgotten: outbox.forgotten,
      brokers: dispatch.states(),
    }),
    close: () => (closing ??= close()),
  };
}
