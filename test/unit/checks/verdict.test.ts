import { describe, expect, it } from 'vitest';
import type { Figure, Limits } from '../../../src/checks/core/verdict.ts';
import { checkResult, severityOf } from '../../../src/checks/core/verdict.ts';
import { inRange, readNagiosLine } from './nagios-line.ts';

const high: Limits = { warn: 10, crit: 20, worse: 'high' };
const low: Limits = { warn: 2, crit: 1, worse: 'low' };

describe('a limit', () => {
  it.each([
    [9.99, high, 'ok'],
    [10, high, 'warning'],
    [20, high, 'critical'],
    [1e9, high, 'critical'],
    [3, low, 'ok'],
    [2, low, 'warning'],
    [1, low, 'critical'],
    [0, low, 'critical'],
    [NaN, high, 'unknown'],
    [NaN, low, 'unknown'],
    [Infinity, high, 'unknown'],
  ] as const)('%f within %o is %s', (value, limits, severity) => {
    expect(severityOf(value, limits)).toBe(severity);
  });
});

describe('a check line', () => {
  const line = (figures: Figure[], text = 'fine'): string =>
    checkResult('table-age', { severity: 'ok', text, figures }).line;

  it.each([
    ['ok', 0],
    ['warning', 1],
    ['critical', 2],
    ['unknown', 3],
  ] as const)('that says %s goes with exit code %i', (severity, exitCode) => {
    const result = checkResult('brokers', { severity, text: 'so', figures: [] });
    expect(result).toEqual({ exitCode, line: `BROKERS ${severity.toUpperCase()} - so` });
  });

  it('carries its figures with limits and bounds', () => {
    const age: Figure = { label: 'age', value: 420.5, unit: 'ms', limits: high, min: 0 };
    const heard: Figure = { label: 'heard', value: 3, min: 0, max: 4 };
    expect(line([age, heard])).toBe('TABLE-AGE OK - fine | age=420.5ms;10;20;0; heard=3;;;0;4');
  });

  it('is read by a Nagios the way it was meant', () => {
    const up: Figure = { label: 'up', value: 2, limits: low, min: 0 };
    const share: Figure = { label: 'share', value: 12.3456, unit: '%' };
    const { text, data } = readNagiosLine(line([up, share]));
    expect(text).toBe('TABLE-AGE OK - fine');
    expect(data['up']).toEqual({ value: 2, unit: '', warn: '@0:2', crit: '@0:1', min: 0, max: undefined });
    expect(data['share']).toMatchObject({ value: 12.346, unit: '%' });
    expect(inRange(data['up']!.warn, 2)).toBe(false);
    expect(inRange(data['up']!.warn, 5)).toBe(true);
  });

  it.each([1e21, 1e-9, -0, 123_456_789_012, -0.0004])('writes %d without an exponent', (value) => {
    const { data } = readNagiosLine(line([{ label: 'x', value }]));
    expect(Object.is(data['x']?.value, -0)).toBe(false);
    expect(data['x']?.value).toBeCloseTo(value, 2);
  });

  it('leaves out a figure that is no number', () => {
    expect(
      line([
        { label: 'x', value: NaN },
        { label: 'y', value: Infinity },
      ]),
    ).toBe('TABLE-AGE OK - fine');
  });

  it.each(['two\nlines', 'a | b', 'tab\there', 'nul\0'])('stays one line whatever it is told: %j', (text) => {
    const whole = line([{ label: 'x', value: 1 }], text);
    expect(whole).not.toMatch(/[\p{Cc}]/u);
    expect(readNagiosLine(whole).data).toEqual({ x: expect.objectContaining({ value: 1 }) });
  });

  it('takes from a label what a reader would stumble over', () => {
    const { data } = readNagiosLine(line([{ label: "gate 'one'=1", value: 1 }]));
    expect(Object.keys(data)).toEqual(['gate_one_1']);
  });
});
