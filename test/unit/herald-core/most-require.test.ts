import { expect, it } from 'vitest';
import type { MostRequire } from '../../../src/herald/core/most-require.ts';
import { countRequired } from '../../../src/herald/core/most-require.ts';

type Labels = MostRequire['labels'];

/** What is held for required most, after lookups that required these. */
function mostOf(...lookups: [times: number, labels: Labels][]): Labels {
  const most: MostRequire = { labels: undefined, lead: 0 };
  for (const [times, labels] of lookups) {
    // Of each lookup its own object, as decoded.
    for (let i = 0; i < times; i++) countRequired(most, labels && { ...labels });
  }
  return most.labels;
}

it('is what more than half of the lookups require', () => {
  expect(mostOf([9, { gpu: '1' }], [8, undefined])).toEqual({ gpu: '1' });
  expect(mostOf([8, { gpu: '1' }], [9, undefined])).toBeUndefined();
  expect(mostOf([4, { gpu: '1' }], [4, { gpu: '2' }], [1, { gpu: '2' }])).toEqual({ gpu: '2' });
});

it('is forgotten after a hundred others, however long it was required', () => {
  expect(mostOf([10_000, { gpu: '1' }], [100, undefined])).toEqual({ gpu: '1' });
  expect(mostOf([10_000, { gpu: '1' }], [101, undefined])).toBeUndefined();
});
