import { describe, expect, it } from 'vitest';
import { evaluateExpression } from '../../../src/herald/core/helpshift/evaluate-expression.ts';
import { readExpression } from '../../../src/herald/core/helpshift/expression.ts';
import type { PythonValue } from '../../../src/herald/core/helpshift/python-value.ts';
import { decoding } from '../../../src/protocol/decode.ts';

const READING: PythonValue = {
  'msg-per-second': 1_750,
  health: 'healthy',
  workers: [{ load: 0.5 }, { load: 0.25 }],
  nested: { deep: { value: 7 } },
  on: true,
  nothing: null,
};

const parsedOf = (text: string) => decoding(() => readExpression(text, 'metric'));

function compute(text: string, r: PythonValue = READING): PythonValue {
  const parsed = parsedOf(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.refusal.expected}`);
  const result = evaluateExpression(parsed.value, r);
  if (!result.ok) throw new Error(`${text}: ${result.refusal.field} ${result.refusal.expected}`);
  return result.value;
}

/** Why it cannot be computed, or parsed. */
function refused(text: string, r: PythonValue = READING): string {
  const parsed = parsedOf(text);
  if (!parsed.ok) return parsed.refusal.expected;
  const result = evaluateExpression(parsed.value, r);
  return result.ok ? 'nothing' : `${result.refusal.field} ${result.refusal.expected}`;
}

// The right column is what Python 3 prints.
describe('an expression computes what Python does', () => {
  it.each<[string, PythonValue]>([
    ["r['msg-per-second']", 1_750],
    ['r["msg-per-second"] * 2 + 1', 3_501],
    ['2 + 3 * 4 - -1', 15],
    ['(2 + 3) * 4', 20],
    ['2 ** 3 ** 2', 512],
    ['-2 ** 2', -4],
    ['7 / 2', 3.5],
    ['7 // 2', 3],
    ['-7 // 2', -4],
    ['-7 % 3', 2],
    ['7 % -3', -2],
    ["r['nested']['deep']['value']", 7],
    ["r['workers'][-1]['load']", 0.25],
    ["r.get('absent', 3)", 3],
    ["r.get('absent')", null],
    ["r.get('health')", 'healthy'],
    ["len(r['workers'])", 2],
    ["max(r['workers'][0]['load'], 0.75)", 0.75],
    ['min([3, 1, 2])', 1],
    ['sum([1, 2.5])', 3.5],
    ['abs(-3)', 3],
    ['int(3.9)', 3],
    ['int(-3.9)', -3],
    ["int(' 42\\n')", 42],
    ["float('1e2')", 100],
    ['round(2.345, 1)', 2.3],
    ['str(5)', '5'],
    ["r['on'] + 1", 2],
    ['1 < 2 < 3', true],
    ['1 < 3 < 2', false],
    ["'a' < 'b'", true],
    ["'eal' in r['health']", true],
    ["'health' in r", true],
    ['3 not in [1, 2]', true],
    ['not 0', true],
    ['0 or 5', 5],
    ['2 and 3', 3],
    ["r['nothing'] == None", true],
    ['[1, [2]] == [1, [2]]', true],
    ["10 if r['health'] == 'healthy' else 90", 10],
    ["'a' + 'b'", 'ab'],
    ["u'a'.upper()", 'A'],
    ["' a b '.strip().split()", ['a', 'b']],
    ["'a,b'.split(',')[1]", 'b'],
    ["sum(r['nested']['deep'].values())", 7],
  ])('%s', (text, value) => {
    expect(compute(text)).toEqual(value);
  });

  it('reads a plain text', () => {
    expect(compute('float(r.split()[0]) * 100', '0.42 0.36 0.30 1/321 999\n')).toBe(42);
    expect(compute('r', 'up')).toBe('up');
  });
});

describe('an expression can do nothing but compute', () => {
  it.each([
    '__import__("os").system("true")',
    'r.__class__',
    'r.constructor("x")',
    'open("/etc/passwd")',
    'lambda: 1',
    '[x for x in r]',
    'r = 1',
    'r; r',
    'eval("1")',
    'process.exit()',
    '`x`',
    'globalThis',
    'r[1:2]',
    'f"{r}"',
    '{}',
    '',
    '1 +',
    ')',
    "'open",
  ])('%s is no expression', (text) => {
    expect(parsedOf(text).ok).toBe(false);
  });

  it('knows the keys of the reading and nothing it inherits', () => {
    for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(refused(`r['${key}']`)).toContain('one of msg-per-second');
      expect(compute(`r.get('${key}', 'none')`)).toBe('none');
    }
    expect(compute("r['__proto__']", JSON.parse('{"__proto__": 3}') as PythonValue)).toBe(3);
  });

  it.each([
    ['1 / 0', 'not 0'],
    ['10 ** 10 ** 10', 'a finite number'],
    ["'a' * 1000000000", 'a finite number'],
    ["r['absent']", 'one of'],
    ["r['health'] + 1", 'a finite number'],
    ["r['health'] < 1", 'a finite number'],
    ["r['workers'][9]", 'an index below 2'],
    ["float('nan')", 'a text that is a number'],
    ["int('1.5')", 'a text that is a number'],
    ['max([])', 'at least one number'],
    ['len(1)', 'a text, a list or an object'],
    ['1 in 2', 'a list, an object or a text'],
  ])('%s is refused in words', (text, words) => {
    expect(refused(text)).toContain(words);
  });

  it('bounds its length, its nesting and the texts it makes', () => {
    expect(refused('1'.repeat(1_001))).toContain('at most 1000 characters');
    expect(refused(`${'('.repeat(60)}1${')'.repeat(60)}`)).toContain('less nesting');
    expect(refused(`${'not '.repeat(60)}1`)).toContain('less nesting');
    expect(refused(`${'-'.repeat(60)}1`)).toContain('less nesting');
    expect(refused(Array(300).fill('r').join('+'), 'x'.repeat(100_000))).toContain('texts of at most');
    expect(compute(Array(490).fill('1').join('+'))).toBe(490);
  });
});
