import { describe, expect, it } from 'vitest';
import { BufferSum } from '../../../src/gateway/core/buffer-sum.ts';

describe('the sum of what waits for clients', () => {
  it('is that of all of them after a round, each looked at once', () => {
    let looks = 0;
    const members = Array.from({ length: 13 }, (_, i) => ({
      get bufferedBytes() {
        looks += 1;
        return i;
      },
    }));
    const sum = new BufferSum(members, 5, ({ bufferedBytes }) => bufferedBytes);
    for (let turn = 1; turn <= 4; turn++) {
      sum.turn();
      expect([sum.bytes, looks]).toEqual([0, 3 * turn]);
    }
    sum.turn();
    expect([sum.bytes, looks]).toEqual([78, 13]);
  });

  it('goes on when many leave in the middle of a round, and is nothing when all did', () => {
    const members = Array.from({ length: 10 }, () => ({ bufferedBytes: 1 }));
    const sum = new BufferSum(members, 5, ({ bufferedBytes }) => bufferedBytes);
    for (let turn = 0; turn < 5; turn++) sum.turn();
    expect(sum.bytes).toBe(10);
    sum.turn();
    sum.turn();
    members.length = 1;
    for (let turn = 0; turn < 2; turn++) sum.turn();
    expect(sum.bytes).toBe(1);
    members.length = 0;
    sum.turn();
    expect(sum.bytes).toBe(0);
  });
});
