import { describe, expect, it } from 'vitest';
import { VirtualLoad } from '../../../src/gateway/core/virtual-capacity.ts';

describe('virtual capacity', () => {
  it('is tokens used over tokens allowed in the last two seconds, plus the neighbour', () => {
    const virtual = new VirtualLoad({ capacity: 2, tokensPerSec: 100, messageTokens: 1, acceptTokens: 10 });
    expect(virtual.load(0, 0, 0)).toBe(0);
    expect(virtual.load(80, 2, 1_000)).toBeCloseTo(100 / 200);
    virtual.extraLoad = 0.4;
    expect(virtual.load(80, 2, 2_000)).toBeCloseTo(50 / 200 + 0.4);
    expect(virtual.load(80, 2, 10_000)).toBeCloseTo(0.4);
  });
});
