import { expect, it } from 'vitest';
import { addBucket, BUCKET_COUNT, emptyBucketSet, hasBucket } from '../../../src/protocol/bucket.ts';

it('a set has the buckets that were added, and no other', () => {
  const set = emptyBucketSet();
  for (const bucket of [0, 7, 8, 255]) addBucket(set, bucket);
  const found = Array.from({ length: BUCKET_COUNT }, (_, bucket) => bucket).filter((one) =>
    hasBucket(set, one),
  );
  expect(found).toEqual([0, 7, 8, 255]);
});
