// A world of three brokers, four gateways, a publisher and a client on one topic, without sockets: the real memory of
// brokers, outbox of the publisher, feed, hub and resume of gateways, stream of the client. Brokers freeze, streams
// lag, gateways die; chance decides when, time is virtual, and a seed repeats it all.

import { BrokerCore, DEFAULT_BROKER_LIMITS } from '../../../src/broker/core/broker-core.ts';
import type { ClientEvent } from '../../../src/client/core/client-events.ts';
import { createStream } from '../../../src/client/core/stream.ts';
import { createTopicBook } from '../../../src/client/core/topic-book.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import type { PublishBatch } from '../../../src/protocol/publication.ts';
import type { SequencedMessage } from '../../../src/protocol/publication-envelope.ts';
import { DEFAULT_OUTBOX_LIMITS, Outbox } from '../../../src/publisher/core/outbox.ts';
import { seededRandom } from '../../../src/sim/chance.ts';
import { anAddress } from '../../unit/broker/given.ts';
import { Clockwork } from './turns-clockwork.ts';
import { Gateway } from './turns-gateway.ts';

export const TOPIC = 't';
const BUCKET = bucketOf(TOPIC);
const END_MS = 20_000;
const FREEZE_MS = 4_000;
/** Of what a dying broker sent last, as long may be on its way. */
const CUT_MS = 300;
const addresses = ['a', 'b', 'c'].map(anAddress);

export type Copy = (from: Broker, sequence: number, message: SequencedMessage) => void;

/** One broker. What comes while it is frozen waits, by the socket it came on. */
export class Broker {
  readonly id: string;
  readonly core: BrokerCore;
  readonly sent: { message: SequencedMessage; atMs: number }[] = [];
  readonly listeners: Copy[] = [];
  readonly #clock: Clockwork;
  readonly #waiting = new Map<string, (() => void)[]>();
  frozenSinceMs: number | undefined;
  thawedMs = -Infinity;
  /** Copies sent from then on do not reach the other brokers. */
  cutMs = Infinity;

  constructor(id: string, clock: Clockwork) {
    this.id = id;
    this.#clock = clock;
    this.core = new BrokerCore(id, 'main', -60_000, DEFAULT_BROKER_LIMITS);
  }

  take(socket: string, run: () => void): void {
    if (this.frozenSinceMs === undefined) run();
    else this.#waiting.set(socket, [...(this.#waiting.get(socket) ?? []), run]);
  }

  accept(batch: PublishBatch, done: () => void): void {
    this.core.accept(batch, this.#clock.nowMs);
    const reply = this.core.answer(
      {
        request: 1,
        kind: 'range',
        of: '',
        bucket: BUCKET,
        fromSequence: this.sent.length + 1,
        toSequence: 1e6,
      },
      emptyBucketSet(),
      this.#clock.nowMs,
    );
    if (reply.kind !== 'range') throw new Error('a range was asked for');
    for (const message of reply.section.messages) {
      this.sent.push({ message: { ...message, flags: message.flags }, atMs: this.#clock.nowMs });
      for (const listener of this.listeners) listener(this, this.sent.length, message);
    }
    done();
  }

  freeze(): void {
    this.frozenSinceMs = this.#clock.nowMs;
  }

  thaw(): void {
    this.frozenSinceMs = undefined;
    this.thawedMs = this.#clock.nowMs;
    // Each socket keeps its order; which is read first is chance.
    while (this.#waiting.size > 0) {
      const sockets = [...this.#waiting.keys()];
      const socket = sockets[Math.floor(this.#clock.random() * sockets.length)]!;
      const [first, ...rest] = this.#waiting.get(socket)!;
      if (rest.length === 0) this.#waiting.delete(socket);
      else this.#waiting.set(socket, rest);
      first?.();
    }
  }
}

export interface Outcome {
  acked: number;
  /** Acked and never heard. */
  missing: number[];
  gaps: number;
  twice: number;
}

export interface Faults {
  /** A gateway joins a broker that was out of reach at its head: must be found. */
  joinsAtHead?: boolean;
  /** The first broker that freezes does not come back, and the client moves at that moment. */
  dies?: boolean;
}

export async function playTurns(
  seed: number,
  { joinsAtHead = false, dies = false }: Faults = {},
): Promise<Outcome> {
  const random = seededRandom(seed);
  const clock = new Clockwork(random);
  const between = (from: number, to: number): number => from + random() * (to - from);
  const brokers = addresses.map(({ id }) => new Broker(id, clock));
  for (const one of brokers) {
    for (const other of brokers) {
      if (one === other) continue;
      const lane = clock.lane();
      one.listeners.push((from, sequence, message) => {
        if (clock.nowMs >= from.cutMs) return;
        lane(() =>
          other.take(`copies of ${from.id}`, () =>
            other.core.keep(from.id, BUCKET, sequence, [message], clock.nowMs),
          ),
        );
      });
    }
  }

  const acked = new Set<number>();
  const publisher = new Publisher(clock, brokers);
  let number = 0;
  const publish = (): void => {
    const mine = ++number;
    publisher.publish(mine, () => acked.add(mine));
    if (clock.nowMs < END_MS - 5_000) clock.after(between(20, 160), publish);
  };
  clock.after(300, publish);

  // One after the other, each frozen once or so.
  let firstMs: number | undefined;
  for (let atMs = between(1_000, 3_000); atMs < END_MS - 9_000; atMs += FREEZE_MS + between(200, 4_000)) {
    const broker = brokers[Math.floor(random() * brokers.length)]!;
    firstMs ??= atMs;
    clock.after(atMs, () => {
      broker.freeze();
      publisher.froze(broker);
    });
    if (dies) {
      broker.cutMs = atMs - CUT_MS;
      break;
    }
    clock.after(atMs + FREEZE_MS, () => {
      broker.thaw();
      publisher.thawed(broker);
    });
  }

  const gateways = ['g1', 'g2', 'g3', 'g4'].map(
    (id) => new Gateway(id, clock, brokers, addresses, joinsAtHead),
  );
  const book = createTopicBook();
  book.add(TOPIC);
  const heard = new Map<number, number>();
  let gaps = 0;
  const emit = (event: ClientEvent): void => {
    if (event.name === 'gap') gaps += 1;
    if (event.name !== 'message') return;
    const value = event.detail.data as number;
    heard.set(value, (heard.get(value) ?? 0) + 1);
  };
  let at = 0;
  const connect = (): void => gateways[at]!.connect(book, createStream(book, emit));
  const move = (): void => {
    gateways[at]!.disconnect();
    at = (at + 1) % gateways.length;
    clock.after(dies ? between(1_000, 2_500) : between(50, 900), connect);
    if (!dies && clock.nowMs < END_MS - 6_000) clock.after(between(500, 6_000), move);
  };
  // Some gateways follow the bucket for another client, or have had the topic for a while.
  for (const gateway of gateways.slice(1)) {
    if (random() < 0.5 || dies) gateway.follow();
    if (random() < 0.3 && !dies) clock.after(between(100, 9_000), () => gateway.open());
  }
  connect();
  clock.after(dies ? firstMs! - CUT_MS : between(1_500, 8_000), move);

  await clock.run(END_MS);
  return {
    acked: acked.size,
    missing: [...acked].filter((value) => !heard.has(value)),
    gaps,
    twice: [...heard.values()].reduce((sum, times) => sum + times - 1, 0),
  };
}

class Publisher {
  readonly #clock: Clockwork;
  readonly #brokers: readonly Broker[];
  readonly #outbox = new Outbox(DEFAULT_OUTBOX_LIMITS);
  /** Counts the connections to a broker: what one of before answers is heard by nobody. */
  readonly #life = new Map<string, number>();

  constructor(clock: Clockwork, brokers: readonly Broker[]) {
    this.#clock = clock;
    this.#brokers = brokers;
    this.#outbox.setBrokers(addresses, 0);
    for (const { id } of brokers) this.#outbox.laneUp(id, 0);
    const tick = (): void => {
      for (const id of this.#outbox.tick(clock.nowMs)) this.#disconnect(id);
      this.#send();
      clock.after(50, tick);
    };
    tick();
  }

  publish(value: number, onAck: () => void): void {
    this.#outbox.add({
      topic: TOPIC,
      data: Buffer.from(String(value)),
      source: { publisher: 'p', origin: '', hop: 0 },
      sequence: value,
      flags: 0,
      publishedAtMs: 0,
      deadlineMs: this.#clock.nowMs + 10_000,
      settle: (outcome) => {
        if (outcome === 'acked') onAck();
      },
    });
    this.#send();
  }

  /** Seen by heartbeats, sooner or later than by missing acks. */
  froze({ id, frozenSinceMs }: Broker): void {
    this.#clock.after(1_400 + this.#clock.random() * 800, () => {
      const broker = this.#brokers.find((one) => one.id === id)!;
      if (broker.frozenSinceMs !== frozenSinceMs) return;
      this.#outbox.laneDown(id, this.#clock.nowMs);
      this.#disconnect(id);
    });
  }

  thawed({ id }: Broker): void {
    this.#clock.after(5 + this.#clock.random() * 1_000, () => {
      this.#outbox.laneUp(id, this.#clock.nowMs);
      this.#send();
    });
  }

  #disconnect(id: string): void {
    this.#life.set(id, this.#lifeOf(id) + 1);
  }

  #lifeOf(id: string): number {
    return this.#life.get(id) ?? 0;
  }

  #send(): void {
    for (const id of this.#outbox.ready()) {
      const broker = this.#brokers.find((one) => one.id === id)!;
      const life = this.#lifeOf(id);
      for (;;) {
        const batch = this.#outbox.takeBatch(id, this.#clock.nowMs);
        if (!batch) break;
        // The broker has bytes of its own: later flags of a message do not reach it.
        const frame = { ...batch, messages: batch.messages.map((message) => ({ ...message })) };
        this.#clock.after(1 + this.#clock.random() * 3, () =>
          broker.take('intake', () =>
            broker.accept(frame, () =>
              this.#clock.after(1 + this.#clock.random() * 10, () => {
                if (life !== this.#lifeOf(id)) return;
                const ack = { batch: batch.batch, status: 'taken' as const, refused: [] };
                this.#outbox.acked(id, ack, this.#clock.nowMs);
                this.#send();
              }),
            ),
          ),
        );
      }
    }
  }
}
