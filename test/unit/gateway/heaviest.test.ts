import { expect, it } from 'vitest';
import { heaviest, MAX_TOGETHER_BYTES, RELIEVED_BYTES } from '../../../src/gateway/core/heaviest.ts';

const MB = 1_048_576;
const BOUND = MAX_TOGETHER_BYTES / MB;
const RELIEF = (MAX_TOGETHER_BYTES - RELIEVED_BYTES) / MB;
const members = (count: number, mb = 1, isLeaving = false) =>
  Array.from({ length: count }, () => ({ bytes: mb * MB, isLeaving }));
const bytesOf = ({ bytes }: { bytes: number }) => bytes;

it('lets the heaviest go until the rest is well within the bound', () => {
  const [heavy] = members(1, RELIEF + 2);
  expect(heaviest([...members(BOUND - RELIEF - 1), heavy!], bytesOf, Infinity)).toEqual([heavy]);
  expect(heaviest(members(BOUND + 30), bytesOf, Infinity)).toHaveLength(RELIEF + 30);
  expect(heaviest(members(BOUND), bytesOf, Infinity)).toEqual([]);
});

it('counts no more than there is in buffers: bytes that wait for many are there once', () => {
  expect(heaviest(members(10_000), bytesOf, MAX_TOGETHER_BYTES)).toEqual([]);
  expect(heaviest(members(10_000), bytesOf, MAX_TOGETHER_BYTES + 3 * MB)).toHaveLength(RELIEF + 3);
});

it('does not let others go for what those take that are leaving', () => {
  const all = [...members(500, 1, true), ...members(BOUND)];
  expect(heaviest(all, bytesOf, (500 + BOUND) * MB)).toEqual([]);
  expect(heaviest([...all, ...members(2)], bytesOf, (502 + BOUND) * MB)).toHaveLength(RELIEF + 2);
});
