import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, scoreOf } from '../../../src/herald/core/score.ts';

describe('the score', () => {
  it.each([
    ['CPU alone', { cpu: 0.4 }, 1, 0.4],
    ['the tightest of several', { cpu: 0.4, eventLoop: 0.7, memory: 0.45 }, 1, 0.7],
    ['memory against a limit below 1', { memory: 0.81 }, 1, 0.9],
    ['loop delay of half its limit', { loopDelayP99Ms: 125 }, 1, 0.5],
    ['buffered bytes by capacity', { bufferedBytes: 256 * 1024 * 1024 }, 2, 0.5],
    ['nothing', {}, 1, 0],
  ])('is %s', (_what, signals, capacity, score) => {
    expect(scoreOf(signals, capacity, DEFAULT_LIMITS)).toBeCloseTo(score, 9);
  });

  it('orders overloaded gateways instead of clamping them at 1', () => {
    const over = scoreOf({ cpu: 1.4 }, 1, DEFAULT_LIMITS);
    expect(scoreOf({ cpu: 1.9 }, 1, DEFAULT_LIMITS)).toBeGreaterThan(over);
    expect(over).toBeGreaterThan(1);
  });

  it('sees a process that its quota stops as fuller than its CPU says', () => {
    const throttled = scoreOf({ cpu: 0.5, throttled: 43 / 56 }, 1, DEFAULT_LIMITS);
    expect(throttled).toBeGreaterThan(0.85);
    expect(scoreOf({ cpu: 0.1, throttled: 0.9 }, 1, DEFAULT_LIMITS)).toBe(0.9);
  });

  it('leaves out signals without a limit and takes rates per capacity', () => {
    expect(scoreOf({ messagesPerSec: 1e9 }, 1, DEFAULT_LIMITS)).toBe(0);
    const limits = { ...DEFAULT_LIMITS, messagesPerSec: 1_000, bytesPerSec: 1_000 };
    expect(scoreOf({ messagesPerSec: 1_000 }, 2, limits)).toBe(0.5);
    expect(scoreOf({ bytesPerSec: 1_000 }, 4, limits)).toBe(0.25);
  });
});
