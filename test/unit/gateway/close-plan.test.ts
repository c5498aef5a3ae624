import { describe, expect, it } from 'vitest';
import { ClosePlan } from '../../../src/gateway/core/close-plan.ts';

describe('the close plan', () => {
  it('hands out closes when they are due, and none after it was cleared', () => {
    const plan = new ClosePlan<string>();
    plan.add([
      { item: 'late', atMs: 20, code: 1 },
      { item: 'soon', atMs: 10, code: 1 },
    ]);
    plan.add([{ item: 'middle', atMs: 15, code: 2 }]);
    expect(plan.takeDue(15).map(({ item }) => item)).toEqual(['soon', 'middle']);
    expect(plan.size).toBe(1);
    plan.clear();
    expect(plan.takeDue(100)).toEqual([]);
  });
});
