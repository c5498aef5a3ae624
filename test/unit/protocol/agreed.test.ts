// What every process computes for itself and all must compute alike, also one of another version during an upgrade.

import { describe, expect, it } from 'vitest';
import type { BrokerAddress } from '../../../src/protocol/broker-address.ts';
import { bucketOf } from '../../../src/protocol/bucket.ts';
import { rankAllBuckets, sameBrokers } from '../../../src/protocol/bucket-owner.ts';
import { closeName } from '../../../src/protocol/close-codes.ts';
import { connectionName, readConnectionName } from '../../../src/protocol/connection-name.ts';
import { pairHash, rendezvousOwner } from '../../../src/protocol/rendezvous.ts';
import { retryDelayMs } from '../../../src/protocol/retry.ts';
import { anAddress } from '../broker/given.ts';

const broker = (id: string, more: Partial<BrokerAddress> = {}): BrokerAddress => ({
  ...anAddress(id),
  ...more,
});

// Computed by another implementation of FNV-1a and of murmur3's finaliser.
it.each([
  ['a', 237],
  ['orders.eu', 121],
  ['chat.1', 97],
  ['t'.repeat(255), 83],
])('the bucket of %s is %d', (topic, bucket) => {
  expect(bucketOf(topic)).toBe(bucket);
});

it.each([
  ['bucket 0', 'b1', 419_587_598],
  ['gw-1', 'herald-1', 1_870_385_465],
  ['', '', 3_099_819_549],
])('the hash of %j and %j is %d', (key, member, hash) => {
  expect(pairHash(key, member)).toBe(hash);
});

describe('who owns a key', () => {
  it('is the same in whatever order the members are named, and nobody where there are none', () => {
    expect(rendezvousOwner('bucket 5', ['b1', 'b2', 'b3'])).toBe('b1');
    expect(rendezvousOwner('bucket 5', ['b3', 'b2', 'b1'])).toBe('b1');
    expect(rendezvousOwner('bucket 5', [])).toBeUndefined();
  });

  it('of buckets ranks the brokers that are up, and moves only the buckets of one that is not', () => {
    const all = rankAllBuckets(['b3', 'b1', 'b2'].map((id) => broker(id)));
    expect(all.slice(0, 8).map(([owner]) => owner)).toEqual(['b2', 'b2', 'b3', 'b3', 'b2', 'b1', 'b2', 'b3']);
    expect(all.every((ranks) => new Set(ranks).size === 3)).toBe(true);
    const left = rankAllBuckets([broker('b1'), broker('b2', { state: 'draining' }), broker('b3')]);
    expect(left).toEqual(all.map((ranks) => ranks.filter((id) => id !== 'b2')));
    expect(rankAllBuckets([])).toEqual(Array(256).fill([]));
  });
});

it('two lists of brokers are the same in any order, and not where one differs in anything that matters', () => {
  const list = [broker('b1'), broker('b2')];
  expect(sameBrokers(list, list.toReversed())).toBe(true);
  expect(sameBrokers([], [])).toBe(true);
  expect(sameBrokers(list, [broker('b1')])).toBe(false);
  expect(sameBrokers([broker('b1')], list)).toBe(false);
  for (const field of ['id', 'epoch', 'publish', 'subscribe', 'repair'] as const) {
    expect(sameBrokers(list, [broker('b1'), broker('b2', { [field]: 'other' })])).toBe(false);
  }
  expect(sameBrokers(list, [broker('b1'), broker('b2', { state: 'draining' })])).toBe(false);
});

it.each([
  [0, 0.5, 125],
  [1, 0.5, 250],
  [3, 0.999_999, 2_000],
  [7, 0.5, 10_000],
  [5_000, 0.5, 10_000],
  [9, 0, 0],
])('before try %d, at chance %d, the wait is %d ms', (attempt, random, waitMs) => {
  expect(retryDelayMs(attempt, { minMs: 250, maxMs: 20_000 }, random)).toBe(waitMs);
});

it.each([
  [4101, 'slowConsumer'],
  [4205, 'helloTimeout'],
  [4003, 'other'],
  [1006, 'other'],
])('close code %d has the name %s', (code, name) => {
  expect(closeName(code)).toBe(name);
});

it.each([
  ['p/b1/7', { peer: 'p/b1', number: 7 }],
  ['/7', { peer: '/7', number: 0 }],
  ['p/', { peer: 'p/', number: 0 }],
  ['p/1234567890123456', { peer: 'p/1234567890123456', number: 0 }],
  ['\0ab/7', { peer: '\0ab/7', number: 0 }],
])('a connection named %j is %j', (name, read) => {
  expect(readConnectionName(name)).toEqual(read);
  if (read.number > 0) expect(connectionName(read)).toBe(name);
});
