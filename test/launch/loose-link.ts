// A gateway's link to the brokers without brokers: messages are put in by hand, histories are what was put in.
// For tests of the gateway alone; the real link has its own.

import type {
  BrokerLink,
  DeliveredMessage,
  FeedEvents,
  FetchedHistory,
  TopicPosition,
} from '../../src/gateway/core/feed-port.ts';

export class LooseLink implements BrokerLink {
  readonly wanted = new Set<string>();
  readonly fetches: { topic: string; position: TopicPosition }[] = [];
  readonly #histories = new Map<string, DeliveredMessage[]>();
  #events: FeedEvents | undefined;
  epoch = 'e1';
  /** Set to hold subscriptions open until it resolves. */
  hold: Promise<void> | undefined;

  readonly open = (events: FeedEvents): BrokerLink => {
    this.#events = events;
    return this;
  };

  /** Publishes as the brokers would: numbered, kept, and delivered to who subscribed. */
  publish(topic: string, ...values: unknown[]): void {
    const batch = values.map((value) => this.#next(topic, Buffer.from(JSON.stringify(value))));
    if (this.wanted.has(topic)) this.#events?.onMessages(batch);
  }

  publishBytes(topic: string, data: Uint8Array, times = 1): void {
    const batch = Array.from({ length: times }, () => this.#next(topic, data));
    if (this.wanted.has(topic)) this.#events?.onMessages(batch);
  }

  gap(topic: string, fromOffset: number, count: number, epoch = this.epoch): void {
    this.#events?.onGap({ topic, epoch, fromOffset, count, why: 'trimmed' });
  }

  #next(topic: string, data: Uint8Array): DeliveredMessage {
    const history = this.#histories.get(topic) ?? [];
    this.#histories.set(topic, history);
    const last = history.at(-1);
    const offset = last?.epoch === this.epoch ? last.offset + 1 : 1;
    const message = { topic, epoch: this.epoch, offset, data, publishedAtMs: Date.now() };
    history.push(message);
    return message;
  }

  head(topic: string): TopicPosition {
    const last = this.#histories.get(topic)?.at(-1);
    return last ? { epoch: last.epoch, offset: last.offset } : { epoch: this.epoch, offset: 0 };
  }

  async subscribe(topic: string): Promise<TopicPosition> {
    this.wanted.add(topic);
    await this.hold;
    return this.head(topic);
  }

  unsubscribe(topic: string): void {
    this.wanted.delete(topic);
  }

  async fetchSince(topic: string, position: TopicPosition): Promise<FetchedHistory> {
    this.fetches.push({ topic, position });
    const history = this.#histories.get(topic) ?? [];
    const index = history.findIndex(
      ({ epoch, offset }) => epoch === position.epoch && offset === position.offset,
    );
    const head = this.head(topic);
    const fromStart = position.offset === 0 && position.epoch === this.epoch;
    if (index < 0 && !fromStart) return { complete: false, why: 'epoch-gone', head };
    const messages = history.slice(index + 1);
    const reached = new Map([position, head, ...messages].map(({ epoch, offset }) => [epoch, offset]));
    return { complete: true, messages, head, reached };
  }

  setBrokers(): void {}

  snapshot(): ReturnType<BrokerLink['snapshot']> {
    return {
      brokers: [],
      canaryMs: 0,
      topics: this.wanted.size,
      envelopes: 0,
      received: 0,
      delivered: 0,
      notSubscribed: 0,
      duplicates: 0,
      canaries: 0,
      repaired: 0,
      repairRequests: 0,
      lost: 0,
      gaps: 0,
      badFrames: 0,
    };
  }

  async close(): Promise<void> {
    this.#events = undefined;
  }
}
