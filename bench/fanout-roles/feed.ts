// Messages made inside the gateway's process, for runs that measure the fan-out alone.

import type {
  BrokerLink,
  FeedEvents,
  FetchedHistory,
  TopicPosition,
} from '../../src/gateway/core/feed-port.ts';
import type { Load } from './words.ts';
import { steadily } from './words.ts';

export class MadeFeed implements BrokerLink {
  #events: FeedEvents | undefined;
  readonly #offsets = new Map<string, number>();
  #stop: () => void = () => {};

  readonly open = (events: FeedEvents): BrokerLink => {
    this.#events = events;
    return this;
  };

  start(load: Load): void {
    this.#stop();
    this.#stop = steadily(load, (topic, data) => {
      const offset = (this.#offsets.get(topic) ?? 0) + 1;
      this.#offsets.set(topic, offset);
      this.#events?.onMessages([{ topic, epoch: 'e', offset, data, publishedAtMs: 0 }]);
    });
  }

  stop(): void {
    this.#stop();
  }

  async subscribe(topic: string): Promise<TopicPosition> {
    return { epoch: 'e', offset: this.#offsets.get(topic) ?? 0 };
  }

  unsubscribe(): void {}

  async fetchSince(): Promise<FetchedHistory> {
    return { complete: false, why: 'unavailable', head: { epoch: '', offset: 0 } };
  }

  setBrokers(): void {}

  snapshot(): ReturnType<BrokerLink['snapshot']> {
    return {
      brokers: [],
      topics: 0,
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
    this.#stop();
  }
}
