// The rules of a helpshift/herald plugin, `patterns` and `thresholds`: from what was read to agent words. The
// first rule that matches wins in each list; a word of the thresholds overrides one of the patterns, as the
// last of a line does in HAProxy.

import type { Decoded } from '../../../protocol/decode.ts';
import { decoding, readFields, refuse, refusalText } from '../../../protocol/decode.ts';
import type { AgentWords } from './agent-words.ts';
import { readAgentWords } from './agent-words.ts';
import { evaluateExpression } from './evaluate-expression.ts';
import type { Expression } from './expression.ts';
import type { Matcher } from './python-pattern.ts';
import { readPattern } from './python-pattern.ts';
import type { PythonValue } from './python-value.ts';
import { asText, numberOf } from './python-value.ts';

type Comparator = '<' | '>' | '<=' | '>=' | '==' | '!=';

export interface PatternRule {
  words: AgentWords;
  matches: Matcher;
}

export type ThresholdRule =
  | { kind: 'words'; words: AgentWords; comparator: Comparator; threshold: number }
  | { kind: 'percent'; full: number; leastPercent: number };

export interface Rules {
  patterns?: { metric: Expression; rules: readonly PatternRule[] };
  thresholds?: { metric: Expression; rules: readonly ThresholdRule[] };
}

/**
 * What the rules say about a reading: words, none when no rule matches, or a refusal when the metric cannot be
 * computed from it, in which case nothing is known.
 */
export function judge({ patterns, thresholds }: Rules, r: PythonValue): Decoded<AgentWords | undefined> {
  return decoding(() => {
    const byPattern = patterns && firstMatch(patterns.rules, computed(patterns.metric, r, 'patterns_metric'));
    const byThreshold =
      thresholds && firstReached(thresholds.rules, computed(thresholds.metric, r, 'thresholds_metric'));
    return byPattern || byThreshold ? { ...byPattern, ...byThreshold } : undefined;
  });
}

function computed(metric: Expression, r: PythonValue, field: string): PythonValue {
  const result = evaluateExpression(metric, r);
  if (result.ok) return result.value;
  const { received, expected } = result.refusal;
  return refuse(`${field}: ${result.refusal.field}`, received, expected);
}

function firstMatch(rules: readonly PatternRule[], value: PythonValue): AgentWords | undefined {
  const text = asText(value);
  return rules.find(({ matches }) => matches(text))?.words;
}

function firstReached(rules: readonly ThresholdRule[], value: PythonValue): AgentWords | undefined {
  const number = numberOf(value, 'thresholds_metric');
  for (const rule of rules) {
    if (rule.kind === 'percent') {
      const percent = Math.trunc(100 - (number / rule.full) * 100);
      return { weightPercent: percent <= 0 ? rule.leastPercent : Math.min(100, percent) };
    }
    if (reached(number, rule.comparator, rule.threshold)) return rule.words;
  }
  return undefined;
}

function reached(value: number, comparator: Comparator, threshold: number): boolean {
  switch (comparator) {
    case '<':
      return value < threshold;
    case '>':
      return value > threshold;
    case '<=':
      return value <= threshold;
    case '>=':
      return value >= threshold;
    case '==':
      return value === threshold;
    case '!=':
      return value !== threshold;
  }
}

/** One entry of `patterns`: `- down: '.*unhealthy.*'`. Only to be called inside `decoding`. */
export function readPatternRule(entry: unknown, field: string): PatternRule {
  const [action, pattern] = onlyEntry(entry, field);
  if (typeof pattern !== 'string' && typeof pattern !== 'number') {
    refuse(`${field}.${action}`, pattern, 'a regular expression');
  }
  return {
    words: readAgentWords(action, field),
    matches: readPattern(String(pattern), `${field}.${action}`),
  };
}

/** One entry of `thresholds`: `- drain: ">7000"`, `- down: 0`, `- pct: 7000`. Inside `decoding` only. */
export function readThresholdRule(entry: unknown, field: string): ThresholdRule {
  const fields = readFields(entry, field);
  if ('pct' in fields) {
    const { threshold } = readThreshold(fields['pct'], `${field}.pct`);
    if (threshold <= 0) refuse(`${field}.pct`, threshold, 'a number above 0');
    const least = fields['min_threshold_response'] ?? 0;
    if (typeof least !== 'number' || !(least >= 0 && least <= 100)) {
      refuse(`${field}.min_threshold_response`, least, 'a percentage from 0 to 100');
    }
    // Never 0: a fleet over capacity must not drain itself.
    return { kind: 'percent', full: threshold, leastPercent: Math.max(1, Math.trunc(least)) };
  }
  const [action, given] = onlyEntry(entry, field);
  return {
    kind: 'words',
    words: readAgentWords(action, field),
    ...readThreshold(given, `${field}.${action}`),
  };
}

function readThreshold(given: unknown, field: string): { comparator: Comparator; threshold: number } {
  const text = typeof given === 'number' ? String(given) : given;
  const parts = typeof text === 'string' ? /^([!<>=]?=?)\s*(-?\d+(?:\.\d+)?)$/.exec(text.trim()) : null;
  if (!parts) return refuse(field, given, 'a number, or one after <, >, <=, >=, = or !');
  return { comparator: COMPARATORS[parts[1]!]!, threshold: Number(parts[2]) };
}

const COMPARATORS: Readonly<Record<string, Comparator>> = {
  '': '==',
  '=': '==',
  '==': '==',
  '!': '!=',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

function onlyEntry(entry: unknown, field: string): [action: string, value: unknown] {
  const entries = Object.entries(readFields(entry, field));
  if (entries.length !== 1) refuse(field, entry, 'one word and what it needs, for example down: 0');
  return entries[0]!;
}

export function judgementText(result: Decoded<unknown>): string {
  return result.ok ? '' : refusalText(result.refusal);
}
