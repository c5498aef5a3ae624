// Which broker a topic's messages come from now, and where it is asked what they were.

import { bucketOf } from '../../protocol/bucket.ts';
import { rankAllBuckets } from '../../protocol/bucket-owner.ts';
import type { BrokerAddress } from '../../protocol/broker-address.ts';
import type { BrokerConnection } from '../../subscriber/broker-connection.ts';

export class TopicOwners {
  readonly #connectionTo: (broker: string) => BrokerConnection | undefined;
  /** By bucket, the ids of the brokers in the order in which they own it. */
  #ranks = rankAllBuckets([]);

  constructor(connectionTo: (broker: string) => BrokerConnection | undefined) {
    this.#connectionTo = connectionTo;
  }

  setBrokers(brokers: readonly BrokerAddress[]): void {
    this.#ranks = rankAllBuckets(brokers);
  }

  /** The first in rank that is connected; undefined while there is none, or while one before it is still arriving. */
  of(topic: string): BrokerConnection | undefined {
    const ranked = this.#ranks[bucketOf(topic)]!.map((id) => this.#connectionTo(id));
    const first = ranked.find((one) => one !== undefined && (one.connected || one.arriving));
    return first?.connected === true ? first : undefined;
  }
}
