// Who owns a bucket. Publishers, brokers and gateways compute it from the same list of brokers and so agree
// without talking; a broker that leaves moves only its own buckets.

import { BUCKET_COUNT } from './bucket.ts';
import type { BrokerAddress } from './broker-address.ts';
import { pairHash } from './rendezvous.ts';

/** Ids of the brokers that may take publications of `bucket`, the owner first, then who stands in for it. */
function rankedOwners(bucket: number, brokers: readonly BrokerAddress[]): string[] {
  const key = `bucket ${bucket}`;
  return brokers
    .filter(({ state }) => state === 'up')
    .map(({ id }) => ({ id, weight: pairHash(key, id) }))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

/** Ranks of all buckets: `ranks[bucket][0]` is the owner's id, undefined when no broker is up. */
export function rankAllBuckets(brokers: readonly BrokerAddress[]): string[][] {
  return Array.from({ length: BUCKET_COUNT }, (_, bucket) => rankedOwners(bucket, brokers));
}

/** True when both lists name the same brokers, each with the same addresses, epoch and state. */
export function sameBrokers(left: readonly BrokerAddress[], right: readonly BrokerAddress[]): boolean {
  if (left.length !== right.length) return false;
  const identity = (broker: BrokerAddress): string =>
    [broker.id, broker.epoch, broker.state, broker.publish, broker.subscribe, broker.repair].join(' ');
  const known = new Set(left.map(identity));
  return right.every((broker) => known.has(identity(broker)));
}
