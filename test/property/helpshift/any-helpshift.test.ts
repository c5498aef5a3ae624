// Whatever stands in a file or in a reading: the parser ends in an expression or in words, an expression in a
// value or in words, and HAProxy hears a whole line with an integer from 1 to 100.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evaluateExpression } from '../../../src/herald/core/helpshift/evaluate-expression.ts';
import { FUNCTIONS, METHODS, readExpression } from '../../../src/herald/core/helpshift/expression.ts';
import { decodeHelpshift } from '../../../src/herald/core/helpshift/helpshift-config.ts';
import {
  newPluginState,
  pluginAnswer,
  takeReading,
} from '../../../src/herald/core/helpshift/plugin-state.ts';
import type { PythonValue } from '../../../src/herald/core/helpshift/python-value.ts';
import { isShallow } from '../../../src/herald/core/helpshift/python-value.ts';
import { encodeAgentAnswer } from '../../../src/protocol/agent-check.ts';
import { decoding } from '../../../src/protocol/decode.ts';

const parsedOf = (text: string) => decoding(() => readExpression(text, 'metric'));

const RUNS = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_000) };
const FULL_LINE = /^(ready|drain|maint) (up|down) ([1-9]\d?|100)%( maxconn:\d+)?( # [\x20-\x7e]+)?\n$/;

/** Mostly nonsense, but made of the grammar's own words. */
const words = fc
  .array(
    fc.oneof(
      fc.constantFrom(...FUNCTIONS, ...METHODS.map((name) => `.${name}`)),
      fc.constantFrom('r', '(', ')', '[', ']', ',', "'k'", '"a"', '1', '0', '2.5', 'True', 'None'),
      fc.constantFrom(
        '+',
        '-',
        '*',
        '/',
        '//',
        '%',
        '**',
        '<',
        '>=',
        '==',
        'in',
        'not',
        'and',
        'or',
        'if',
        'else',
      ),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(' '));
const reading = fc.oneof(
  fc.jsonValue() as fc.Arbitrary<PythonValue>,
  fc.dictionary(fc.constantFrom('k', 'a', 'rate'), fc.jsonValue() as fc.Arbitrary<PythonValue>),
  fc.double(),
);

it('any text is an expression or refused, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 1_200 }), words),
      reading,
      (text, r) => {
        const parsed = parsedOf(text);
        if (!parsed.ok) {
          expect(parsed.refusal.expected).not.toBe('');
          return;
        }
        const result = evaluateExpression(parsed.value, r);
        if (result.ok) expect(typeof result.value).not.toBe('function');
        if (result.ok && typeof result.value === 'number' && !text.includes('r')) {
          expect(Number.isFinite(result.value)).toBe(true);
        }
      },
    ),
    RUNS,
  );
});

it('spaces around words change nothing', () => {
  fc.assert(
    fc.property(words, reading, (text, r) => {
      const [one, two] = [parsedOf(text), parsedOf(`  ${text.replaceAll(' ', '\n\t ')} `)];
      expect(two.ok).toBe(one.ok);
      if (one.ok && two.ok) {
        expect(evaluateExpression(two.value, r)).toEqual(evaluateExpression(one.value, r));
      }
    }),
    RUNS,
  );
});

const key = fc.constantFrom(
  'name',
  'herald_plugin_name',
  'url',
  'file_path',
  'interval',
  'patterns',
  'thresholds',
);

it('any document is a configuration or refused by its key', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record({ plugins: fc.array(fc.dictionary(key, fc.jsonValue()), { maxLength: 3 }) }),
  );
  fc.assert(
    fc.property(anything, (value) => {
      const config = decodeHelpshift(value);
      if (!config.ok) expect(config.refusal.field).not.toBe('');
    }),
    RUNS,
  );
});

const response = fc.constantFrom(
  'noop',
  'up',
  'down',
  'drain',
  'maint',
  '0%',
  '7%',
  '300%',
  'up 5% # a\nb',
  '',
);
const rules = fc.array(
  fc.oneof(
    fc.record({
      pct: fc.integer({ min: 1, max: 9_999 }),
      min_threshold_response: fc.integer({ min: 0, max: 100 }),
    }),
    fc.record({ drain: fc.constantFrom('>10', '<0', '!3') }),
    fc.record({ '999%': fc.constantFrom('=1') }),
  ),
  { minLength: 1, maxLength: 4 },
);

it('any reading at any age is answered by one whole line', () => {
  fc.assert(
    fc.property(rules, response, response, reading, fc.nat(100_000), fc.boolean(), (...given) => {
      const [thresholds, staleness_response, default_response, r, ageMs, late] = given;
      const plugin = { name: 'p', herald_plugin_name: 'herald_file', file_path: '/f', interval: 1 };
      const more = { thresholds, staleness_response, default_response, staleness_interval: 30 };
      const config = decodeHelpshift({ plugins: [{ ...plugin, ...more }] });
      if (!config.ok) throw new Error(config.refusal.expected);
      const [one] = config.value.plugins;
      const state = newPluginState(0);
      takeReading(state, one!, r, 0);
      expect(encodeAgentAnswer(pluginAnswer(state, one!, ageMs, late))).toMatch(FULL_LINE);
    }),
    RUNS,
  );
});

it('depth is measured without recursion', () => {
  const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as PythonValue;
  expect(isShallow(deep)).toBe(false);
  expect(isShallow([[{ a: [1] }]])).toBe(true);
});
