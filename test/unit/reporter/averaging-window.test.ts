import { describe, expect, it } from 'vitest';
import type { CumulativeSample } from '../../../src/reporter/core/averaging-window.ts';
import { createAveragingWindow } from '../../../src/reporter/core/averaging-window.ts';

const sample = (atMs: number, more: Partial<CumulativeSample> = {}): CumulativeSample => ({
  atMs,
  cpuUs: 0,
  loopActiveMs: 0,
  loopIdleMs: 0,
  quotaPeriods: 0,
  quotaThrottled: 0,
  groupCpuUs: 0,
  ...more,
});

describe('averaging window', () => {
  it('says nothing before two samples', () => {
    const window = createAveragingWindow();
    expect(window.ratios(1)).toBeUndefined();
    window.push(sample(0));
    expect(window.ratios(1)).toBeUndefined();
  });

  it('divides CPU by what the quota allows: half a core, saturated, is 1 and not 0.25', () => {
    const window = createAveragingWindow();
    window.push(sample(0));
    window.push(sample(1_000, { cpuUs: 500_000, quotaPeriods: 10, quotaThrottled: 8 }));
    expect(window.ratios(0.5)).toMatchObject({ cpu: 1, throttled: 0.8 });
    expect(window.ratios(2)).toMatchObject({ cpu: 0.25 });
  });

  it('speaks of the last two seconds only', () => {
    const window = createAveragingWindow();
    for (let i = 0; i <= 100; i++) window.push(sample(i * 100, { cpuUs: i < 50 ? 0 : (i - 50) * 100_000 }));
    expect(window.ratios(1)?.cpu).toBeCloseTo(1);
    for (let i = 101; i <= 120; i++) window.push(sample(i * 100, { cpuUs: 5_000_000 }));
    expect(window.ratios(1)?.cpu).toBe(0);
  });

  it('reaches back one sample when samples are further apart than the window', () => {
    const window = createAveragingWindow();
    window.push(sample(0));
    window.push(sample(10_000, { cpuUs: 1_000_000 }));
    window.push(sample(20_000, { cpuUs: 6_000_000 }));
    expect(window.ratios(1)?.cpu).toBeCloseTo(0.5);
  });

  it('takes the group when it uses more of the quota than the process', () => {
    const window = createAveragingWindow();
    window.push(sample(0));
    window.push(sample(1_000, { cpuUs: 100_000, groupCpuUs: 900_000 }));
    expect(window.ratios(1)?.cpu).toBeCloseTo(0.9);
  });

  it('measures the event loop by active over active and idle', () => {
    const window = createAveragingWindow();
    window.push(sample(0, { loopActiveMs: 100, loopIdleMs: 900 }));
    window.push(sample(1_000, { loopActiveMs: 800, loopIdleMs: 1_200 }));
    expect(window.ratios(1)?.eventLoop).toBeCloseTo(0.7);
  });

  it('starts anew when the process was moved to another group', () => {
    const window = createAveragingWindow();
    window.push(sample(0, { quotaPeriods: 1_000, groupCpuUs: 1e9 }));
    window.push(sample(1_000, { quotaPeriods: 5, groupCpuUs: 10 }));
    expect(window.ratios(1)).toBeUndefined();
  });
});
