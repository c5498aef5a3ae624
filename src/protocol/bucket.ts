// A topic's bucket. Brokers filter by bucket and not by topic because ZeroMQ loses subscriptions silently
// above its high-water mark (docs/adr/0003): 256 one-byte subscriptions always fit.

export const BUCKET_COUNT = 256;

/** FNV-1a over the topic's characters (topics are ASCII), folded to 8 bits. */
export function bucketOf(topic: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) {
    hash ^= topic.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  return (hash ^ (hash >>> 8)) & 0xff;
}

/** A set of buckets as 256 bits: how a subscriber tells a broker what it wants. */
export type BucketSet = Uint8Array;
export const BUCKET_SET_BYTES = BUCKET_COUNT / 8;

export function emptyBucketSet(): BucketSet {
  return new Uint8Array(BUCKET_SET_BYTES);
}

export function bucketsWhere(isIn: (bucket: number) => boolean): BucketSet {
  const set = emptyBucketSet();
  for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
    if (isIn(bucket)) set[bucket >>> 3]! |= 1 << (bucket & 7);
  }
  return set;
}

export function hasBucket(set: BucketSet, bucket: number): boolean {
  return ((set[bucket >>> 3]! >>> (bucket & 7)) & 1) === 1;
}

/** Adds every bucket of `from` to `set`. */
export function addBuckets(set: BucketSet, from: BucketSet): void {
  for (let i = 0; i < BUCKET_SET_BYTES; i++) set[i]! |= from[i]!;
}
