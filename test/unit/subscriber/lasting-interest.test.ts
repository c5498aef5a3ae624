import { expect, it } from 'vitest';
import { BUCKET_COUNT, bucketsWhere, hasBucket } from '../../../src/protocol/bucket.ts';
import { INTEREST_LASTS_MS, LastingInterest } from '../../../src/subscriber/core/lasting-interest.ts';

const only = (...buckets: number[]) => bucketsWhere((bucket) => buckets.includes(bucket));

/** Brokers answer twice a second, or not at all. */
function watch() {
  const interest = new LastingInterest();
  let nowMs = 0;
  const says = (buckets: number[], forMs: number): void => {
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 500) interest.answered(only(...buckets), nowMs);
  };
  const silence = (forMs: number): void => void (nowMs += forMs);
  const wanted = (): number[] =>
    Array.from({ length: BUCKET_COUNT }, (_, bucket) => bucket).filter((bucket) =>
      hasBucket(interest.wanted, bucket),
    );
  return { says, silence, wanted };
}

it('wants what any broker says, at once', () => {
  const { says, wanted } = watch();
  expect(wanted()).toEqual([]);
  says([7], 500);
  says([9], 500);
  expect(wanted()).toEqual([7, 9]);
});

it('lets go of what no broker has named for a while', () => {
  const { says, wanted } = watch();
  says([7], 500);
  says([], INTEREST_LASTS_MS - 500);
  expect(wanted()).toEqual([7]);
  says([], 1_000);
  expect(wanted()).toEqual([]);
});

it('keeps what was wanted while a broker that was away, for however long, hears of nobody yet', () => {
  const { says, silence, wanted } = watch();
  says([7], 10_000);
  silence(3_600_000);
  expect(wanted()).toEqual([7]);
  says([], 2_000);
  expect(wanted()).toEqual([7]);
  says([7], 10_000);
  expect(wanted()).toEqual([7]);
});
