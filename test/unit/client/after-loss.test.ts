import { expect, it } from 'vitest';
import { afterLoss } from '../../../src/client/core/after-loss.ts';

it.each([
  // The first connection, or the one to be: Herald named others, unless all would refuse the same.
  ['next', 'lookup', false, true, 'next-pick'],
  ['next', 'retry', false, true, 'next-pick'],
  ['next', 'stop', false, true, 'stop'],
  ['next', 'stop', true, true, 'next-pick'],
  // The one in use.
  ['current', 'stop', false, false, 'stop'],
  ['current', 'stop', false, true, 'stop'],
  ['current', 'retry', false, false, 'return'],
  ['current', 'lookup', false, false, 'look-up'],
  // In the middle of a move.
  ['current', 'retry', false, true, 'insist'],
  ['current', 'lookup', false, true, 'insist'],
] as const)(
  'the %s connection, closed to %s (another in use: %s, looking for one: %s): %s',
  (which, band, hasCurrent, isAcquiring, then) => {
    expect(afterLoss({ which, band, hasCurrent, isAcquiring })).toBe(then);
  },
);
