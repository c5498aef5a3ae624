import { expect, it } from 'vitest';
import { BUCKET_COUNT, bucketsWhere, hasBucket } from '../../../src/protocol/bucket.ts';

it('a set has the buckets that were asked for, and no other', () => {
  const set = bucketsWhere((bucket) => [0, 7, 8, 255].includes(bucket));
  const found = Array.from({ length: BUCKET_COUNT }, (_, bucket) => bucket).filter((one) =>
    hasBucket(set, one),
  );
  expect(found).toEqual([0, 7, 8, 255]);
});
