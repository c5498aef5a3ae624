import { expect, it } from 'vitest';
import { RETURN_MS, UnheardEnds } from '../../../src/subscriber/core/unheard-ends.ts';

function away(): { broker: { epoch: string }; ends: UnheardEnds<{ epoch: string }> } {
  const broker = { epoch: '' };
  const ends = new UnheardEnds<{ epoch: string }>();
  ends.add(broker, { epoch: 'e1', buckets: new Map(), wasCut: true }, 1_000);
  return { broker, ends };
}

it('is no loss when the broker comes back in the same life, whatever comes later', () => {
  const { broker, ends } = away();
  expect(ends.takeCertain(1_000 + RETURN_MS - 1)).toEqual([]);
  broker.epoch = 'e1';
  expect(ends.takeCertain(1_000 + RETURN_MS)).toEqual([]);
  broker.epoch = 'e2';
  expect(ends.takeCertain(1_000 + 2 * RETURN_MS)).toEqual([]);
});

it.each([
  ['at once when another life of the broker is heard', 'e2', 1_000],
  ['when the broker stays away', '', 1_000 + RETURN_MS],
])('is told once, %s', (_when, epoch, nowMs) => {
  const { broker, ends } = away();
  broker.epoch = epoch;
  expect(ends.takeCertain(nowMs)).toMatchObject([{ from: broker, followed: { epoch: 'e1' } }]);
  expect(ends.takeCertain(nowMs)).toEqual([]);
});
