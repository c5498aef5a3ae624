import { expect, it } from 'vitest';
import { closeBand } from '../../../src/protocol/close-codes.ts';

it.each([
  [1000, 'lookup'],
  [1002, 'stop'],
  [1006, 'lookup'],
  [1009, 'stop'],
  [1011, 'lookup'],
  [3999, 'lookup'],
  [4000, 'stop'],
  [4099, 'stop'],
  [4100, 'retry'],
  [4199, 'retry'],
  [4200, 'lookup'],
] as const)('a client closed with %d does: %s', (code, band) => {
  expect(closeBand(code)).toBe(band);
});
