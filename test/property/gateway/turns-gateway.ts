// One gateway of the world: the real feed, hub and resume between simulated streams and a client without a socket.

import type { createStream } from '../../../src/client/core/stream.ts';
import type { TopicBook } from '../../../src/client/core/topic-book.ts';
import type { Connection } from '../../../src/gateway/clients/connection.ts';
import { headsRequest, NOWHERE } from '../../../src/gateway/core/feed-history.ts';
import type { BrokerLink, TopicPosition } from '../../../src/gateway/core/feed-port.ts';
import { FeedTopics } from '../../../src/gateway/core/feed-topics.ts';
import { VARIANT } from '../../../src/gateway/core/group.ts';
import { Hub } from '../../../src/gateway/core/hub.ts';
import { Outbox } from '../../../src/gateway/core/outbox.ts';
import type { HistorySource } from '../../../src/gateway/feed/fetch-history.ts';
import { fetchHistory } from '../../../src/gateway/feed/fetch-history.ts';
import type { GatewayParts } from '../../../src/gateway/gateway-parts.ts';
import { Subscribing } from '../../../src/gateway/clients/subscribing.ts';
import { bucketOf, emptyBucketSet } from '../../../src/protocol/bucket.ts';
import { rankAllBuckets } from '../../../src/protocol/bucket-owner.ts';
import { decodeClientOut } from '../../../src/protocol/client-out-frames.ts';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import type { RepairReply } from '../../../src/protocol/publication-repair.ts';
import type { Clockwork } from './turns-clockwork.ts';
import type { Broker } from './turns-world.ts';
import { TOPIC } from './turns-world.ts';
import { plainAllocate } from '../../unit/gateway/plain-allocate.ts';

const QUESTION_MS = 1_500;
const FLUSH_MS = 20;

/** A broker as this gateway has it. */
class Link implements HistorySource {
  readonly id: string;
  readonly epoch: string;
  /** Its stream is heard. */
  joined = false;
  readonly #broker: Broker;
  readonly #clock: Clockwork;
  readonly #noticesMs: number;
  readonly #returnsMs: number;

  constructor(broker: Broker, clock: Clockwork) {
    this.id = this.epoch = broker.id;
    this.#broker = broker;
    this.#clock = clock;
    this.#noticesMs = 1_400 + clock.random() * 800;
    this.#returnsMs = clock.random() * 1_200;
  }

  get connected(): boolean {
    const { frozenSinceMs, thawedMs } = this.#broker;
    if (frozenSinceMs !== undefined) return this.#clock.nowMs - frozenSinceMs < this.#noticesMs;
    return this.#clock.nowMs - thawedMs > this.#returnsMs;
  }

  /** How long a thawed broker's stream takes to be back. */
  get backInMs(): number {
    return Math.max(0, this.#broker.thawedMs + this.#returnsMs - this.#clock.nowMs);
  }

  get #answers(): boolean {
    return this.#broker.frozenSinceMs === undefined && this.joined;
  }

  mayHaveCarried(): boolean {
    return true;
  }

  async question(...[build]: Parameters<HistorySource['question']>): Promise<RepairReply | undefined> {
    if (!this.connected) return undefined;
    const untilMs = this.#clock.nowMs + QUESTION_MS;
    await this.#clock.wait(1 + this.#clock.random() * 20);
    while (!this.#answers && this.#clock.nowMs < untilMs) await this.#clock.wait(10);
    if (!this.#answers) return undefined;
    const reply = this.#broker.core.answer(build(1), emptyBucketSet(), this.#clock.nowMs);
    await this.#clock.wait(1 + this.#clock.random() * 20);
    return this.#clock.nowMs < untilMs ? reply : undefined;
  }
}

export class Gateway {
  readonly #clock: Clockwork;
  readonly #brokers: readonly Broker[];
  readonly #links: readonly Link[];
  readonly #rank: readonly string[];
  readonly #hub: Hub;
  readonly #feed: FeedTopics;
  readonly #subscribing: Subscribing;
  readonly #joinsAtHead: boolean;
  #follows = false;
  #connection: Connection | undefined;

  /** `joinsAtHead`: also at a broker that was out of reach; then it loses what that one carried meanwhile. */
  constructor(
    id: string,
    clock: Clockwork,
    brokers: readonly Broker[],
    addresses: readonly BrokerAddress[],
    joinsAtHead: boolean,
  ) {
    this.#clock = clock;
    this.#joinsAtHead = joinsAtHead;
    this.#brokers = brokers;
    this.#links = brokers.map((broker) => new Link(broker, clock));
    this.#rank = rankAllBuckets(addresses)[bucketOf(TOPIC)]!;
    const outbox = new Outbox(0.5);
    this.#hub = new Hub({
      outbox,
      traitsOf: () => ({ flushClass: outbox.classOf(0), sendsLast: false }),
      history: { maxMessages: 300, maxBytes: 1_048_576, maxAgeMs: 120_000 },
      historyBudgetBytes: 1e9,
      deflate: () => undefined,
      deflateFromBytes: Infinity,
      allocate: plainAllocate,
    });
    this.#feed = new FeedTopics(
      {
        onMessages: (batch) => {
          for (const message of batch) this.#hub.message(message, clock.nowMs);
        },
        onGap: (gap) => this.#hub.gap(gap, clock.nowMs),
      },
      () => {},
    );
    const link: Partial<BrokerLink> = {
      subscribe: () => this.#subscribe(),
      fetchSince: (topic, from, limits) =>
        fetchHistory(topic, from, limits, this.#owner ?? this.#links[0]!, this.#links),
    };
    this.#subscribing = new Subscribing({
      id,
      hub: this.#hub,
      clock: { nowMs: () => clock.nowMs },
      allocate: plainAllocate,
      config: { maxTopics: 9, newTopicsPerSec: 99, resumeMessages: 300, resumeBytes: 1_048_576 },
      link,
    } as unknown as GatewayParts);
    const flush = (): void => {
      if (this.#connection) this.#hub.catchUp(this.#connection);
      clock.after(FLUSH_MS, flush);
    };
    flush();
  }

  get #owner(): Link | undefined {
    return this.#rank
      .map((id) => this.#links.find((link) => link.id === id)!)
      .find(({ connected }) => connected);
  }

  /** Hears the bucket from now on. */
  follow(): void {
    if (this.#follows) return;
    this.#follows = true;
    this.#brokers.forEach((broker, i) => {
      const link = this.#links[i]!;
      const lane = this.#clock.lane();
      const hear = (sequence: number): void => {
        const { message } = broker.sent[sequence - 1]!;
        // What a broker sends before its gateways are back waits for them.
        this.#clock.after(link.backInMs, () =>
          lane(() => this.#feed.deliver(broker.id, [message], () => {})),
        );
      };
      const join = (from: number): void => {
        for (let sequence = from + 1; sequence <= broker.sent.length; sequence++) hear(sequence);
        broker.listeners.push((_broker, sequence) => hear(sequence));
      };
      const wantedMs = this.#clock.nowMs;
      const isReached = link.connected;
      const tryToJoin = (): void => {
        if (!link.connected || broker.frozenSinceMs !== undefined) {
          this.#clock.after(20, tryToJoin);
          return;
        }
        const isLate = (!isReached || this.#clock.nowMs - wantedMs > 250) && !this.#joinsAtHead;
        const before = broker.sent.filter(({ atMs }) => atMs < wantedMs - 1_000).length;
        join(isLate ? before : broker.sent.length);
        // The heads are asked for before anything else, and so answered first.
        link.joined = true;
      };
      tryToJoin();
    });
  }

  /** Keeps the topic, for whoever comes. */
  open(): void {
    const topic = this.#hub.topic(TOPIC);
    if (topic.opening === undefined && topic.openedMs === Infinity) {
      topic.opening = this.#subscribe().then((head) => this.#hub.opened(topic, head, this.#clock.nowMs));
    }
    this.#hub.use(topic);
  }

  async #subscribe(): Promise<TopicPosition> {
    this.#feed.add(TOPIC, this.#clock.nowMs);
    this.follow();
    const reply = await this.#owner?.question(headsRequest([TOPIC], ''));
    const [answer] = reply?.kind === 'topics' ? reply.answers : [];
    if (!reply || !answer) return NOWHERE;
    const head = { epoch: reply.epoch, offset: answer.headOffset };
    this.#feed.noteHead(TOPIC, head);
    return head;
  }

  connect(book: TopicBook, stream: ReturnType<typeof createStream>): void {
    const take = (text: string): void => {
      const frame = decodeClientOut(text);
      if (!frame.ok || !frame.value) throw new Error(`not a frame: ${text}`);
      if (frame.value.op === 'msg') stream.message(frame.value);
      else if (frame.value.op === 'gap') stream.gap(frame.value);
      else if (frame.value.op === 'ok')
        for (const item of frame.value.c ?? []) stream.subscribed(item, false);
    };
    const takeAll = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length;) {
        const length = bytes[at + 1]!;
        if (length > 125) throw new Error('frames of this world are short');
        take(Buffer.from(bytes.subarray(at + 2, at + 2 + length)).toString());
        at += 2 + length;
      }
    };
    const connection = {
      state: 'open',
      variant: VARIANT.gap,
      group: undefined,
      indexInGroup: 0,
      position: 0,
      work: undefined,
      waitingWork: 0,
      topicRate: undefined,
      has: (capability: string) => capability === 'gap',
      send: (frame: object) => take(JSON.stringify(frame)),
      sendReplay: async (frames: readonly Uint8Array[]) => frames.forEach(takeAll),
      deliver: takeAll,
    } as Partial<Connection> as Connection;
    this.#connection = connection;
    this.#subscribing.inOrder(connection, () =>
      this.#subscribing.subscribe(connection, 1, [book.item(TOPIC)]),
    );
  }

  /** The gateway is gone, for this client: what it was owed is not given. */
  disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    connection.state = 'closing';
    this.#hub.drop(connection, 'closed', this.#clock.nowMs);
  }
}
