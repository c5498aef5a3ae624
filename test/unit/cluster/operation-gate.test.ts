// At most so many operations under way, a bounded line behind them, first come first served.

import { describe, expect, it } from 'vitest';
import { operationGate } from '../../../src/cluster/operation-gate.ts';

describe('operation gate', () => {
  it('starts up to the limit and the rest in order as places get free', () => {
    const gate = operationGate(2, 10);
    const started: number[] = [];
    for (let i = 0; i < 5; i++) gate.enter(() => started.push(i));
    expect(started).toEqual([0, 1]);
    expect([gate.inFlight(), gate.waiting()]).toEqual([2, 3]);
    gate.leave();
    expect(started).toEqual([0, 1, 2]);
    for (let i = 0; i < 4; i++) gate.leave();
    expect(started).toEqual([0, 1, 2, 3, 4]);
    expect([gate.inFlight(), gate.waiting()]).toEqual([0, 0]);
  });

  it('refuses above the line and never starts what it refused', () => {
    const gate = operationGate(1, 1);
    let refusedStarted = false;
    gate.enter(() => {});
    expect(gate.enter(() => {})).toBeDefined();
    expect(gate.enter(() => (refusedStarted = true))).toBeUndefined();
    gate.leave();
    gate.leave();
    expect(refusedStarted).toBe(false);
    expect(gate.inFlight()).toBe(0);
  });

  it('skips those who left the line, and tells whether they had started', () => {
    const gate = operationGate(1, 10);
    const started: string[] = [];
    const first = gate.enter(() => started.push('a'))!;
    const second = gate.enter(() => started.push('b'))!;
    gate.enter(() => started.push('c'));
    expect(gate.abandon(first)).toBe(false);
    expect(gate.abandon(second)).toBe(true);
    expect(gate.abandon(second)).toBe(false);
    gate.leave();
    expect(started).toEqual(['a', 'c']);
  });

  it('keeps its counts through a long line', () => {
    const gate = operationGate(500, 50_000);
    let started = 0;
    for (let i = 0; i < 40_000; i++) gate.enter(() => (started += 1));
    for (let i = 0; i < 40_000; i++) gate.leave();
    expect(started).toBe(40_000);
    expect([gate.inFlight(), gate.waiting()]).toEqual([0, 0]);
  });
});
