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
