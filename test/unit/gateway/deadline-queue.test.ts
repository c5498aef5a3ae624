import { describe, expect, it } from 'vitest';
import { DeadlineQueue } from '../../../src/gateway/core/deadline-queue.ts';

describe('the deadline queue', () => {
  it('returns in order what has run out of time', () => {
    const queue = new DeadlineQueue<string>(100);
    queue.add('a', 0);
    queue.add('b', 50);
    expect(queue.takeDue(99)).toEqual([]);
    expect(queue.takeDue(100)).toEqual(['a']);
    queue.add('c', 100);
    expect(queue.takeDue(500)).toEqual(['b', 'c']);
    expect(queue.takeDue(1_000)).toEqual([]);
  });
});
