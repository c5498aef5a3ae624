import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAwakeClock, every, systemClock } from '../../../src/daemon/clock.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a repeated call', () => {
  it('comes once a period when chance is in the middle', () => {
    const run = vi.fn();
    const stop = every(1_000, run, 0.1, () => 0.5);
    vi.advanceTimersByTime(5_000);
    expect(run).toHaveBeenCalledTimes(5);
    stop();
    vi.advanceTimersByTime(5_000);
    expect(run).toHaveBeenCalledTimes(5);
  });

  it('stays within its jitter', () => {
    const run = vi.fn();
    const random = vi.fn(() => 0);
    every(1_000, run, 0.1, random);
    vi.advanceTimersByTime(899);
    expect(run).not.toHaveBeenCalled();
    random.mockReturnValue(0.999_999);
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_098);
    expect(run).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(2);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('can be stopped from inside', () => {
    let calls = 0;
    const stop = every(10, () => {
      calls += 1;
      stop();
    });
    vi.advanceTimersByTime(1_000);
    expect(calls).toBe(1);
  });
});

describe('the system clock', () => {
  it('does not follow the wall clock', () => {
    vi.useRealTimers();
    const beforeMs = systemClock.nowMs();
    vi.setSystemTime(0);
    expect(systemClock.epochMs()).toBeLessThan(10_000);
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(beforeMs);
    expect(systemClock.nowMs()).toBeLessThan(beforeMs + 60_000);
    vi.useRealTimers();
  });
});

describe('the awake clock', () => {
  it('stands still while the process sleeps, but for one step', () => {
    let now = 100;
    const awakeMs = createAwakeClock(1_000, () => now);
    now = 1_100;
    expect(awakeMs()).toBe(1_100);
    now = 11_100;
    expect(awakeMs()).toBe(2_100);
    now = 11_150;
    expect(awakeMs()).toBe(2_150);
  });
});
