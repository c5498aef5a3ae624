// What one broker is asked to send of the publications: all in few large envelopes, or single buckets.

import { bucketFilter, WIDE_FILTER } from '../protocol/publication-envelope.ts';
import type { BrokerSockets } from './broker-sockets-zmq.ts';

/** For one pair of sockets, which knows no filters yet. */
export class BucketFilters {
  readonly #sockets: Pick<BrokerSockets, 'subscribe' | 'unsubscribe'>;
  readonly #buckets = new Set<number>();
  #wide = false;

  constructor(sockets: Pick<BrokerSockets, 'subscribe' | 'unsubscribe'>) {
    this.#sockets = sockets;
  }

  /** Takes everything, or only the given buckets. What is new is asked for first, so that nothing is missed between. */
  listen(wide: boolean, buckets: readonly number[]): void {
    if (wide && !this.#wide) this.#sockets.subscribe(WIDE_FILTER);
    if (!wide) for (const bucket of buckets) this.filter(bucket, true);
    if (!wide && this.#wide) this.#sockets.unsubscribe(WIDE_FILTER);
    if (wide) for (const bucket of [...this.#buckets]) this.filter(bucket, false);
    this.#wide = wide;
  }

  filter(bucket: number, wanted: boolean): void {
    if (this.#buckets.has(bucket) === wanted) return;
    if (wanted) {
      this.#buckets.add(bucket);
      this.#sockets.subscribe(bucketFilter(bucket));
    } else {
      this.#buckets.delete(bucket);
      this.#sockets.unsubscribe(bucketFilter(bucket));
    }
  }
}
