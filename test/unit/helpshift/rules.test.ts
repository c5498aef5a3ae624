import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AgentAnswer } from '../../../src/protocol/agent-check.ts';
import { refusalText } from '../../../src/protocol/decode.ts';
import type { HelpshiftPlugin } from '../../../src/herald/core/helpshift/helpshift-config.ts';
import { decodeHelpshift } from '../../../src/herald/core/helpshift/helpshift-config.ts';
import {
  newPluginState,
  pluginAnswer,
  takeReading,
} from '../../../src/herald/core/helpshift/plugin-state.ts';
import type { PythonValue } from '../../../src/herald/core/helpshift/python-value.ts';

/** A plugin from the lines that a test is about. */
function plugin(lines: string): HelpshiftPlugin {
  const config = decode(
    `plugins:\n  - name: p\n    herald_plugin_name: herald_file\n    file_path: /f\n${lines}`,
  );
  if (!config.ok) throw new Error(refusalText(config.refusal));
  return config.value.plugins[0]!;
}
const decode = (yaml: string) => decodeHelpshift(parse(yaml, { version: '1.1', uniqueKeys: false }));

function answers(lines: string, r: PythonValue): AgentAnswer {
  const given = plugin(lines);
  const state = newPluginState(0);
  takeReading(state, given, r, 0);
  return pluginAnswer(state, given, 0);
}

const THRESHOLDS = `
    thresholds_metric: "r['rate']"
    thresholds:
      - drain: ">7000"
      - down: 0
      - pct: 7000
        min_threshold_response: 1
`;

describe('thresholds', () => {
  // int(100 - value / 7000 * 100), as the original computes it.
  it.each([
    [1_750, { admin: 'ready', health: 'up', weightPercent: 75 }],
    [1, { admin: 'ready', health: 'up', weightPercent: 99 }],
    [2_333, { admin: 'ready', health: 'up', weightPercent: 66 }],
    [6_999.5, { admin: 'ready', health: 'up', weightPercent: 1 }],
    [7_000, { admin: 'ready', health: 'up', weightPercent: 1 }],
    [-700, { admin: 'ready', health: 'up', weightPercent: 100 }],
    [7_001, { admin: 'drain', health: 'up' }],
    [0, { admin: 'ready', health: 'down' }],
  ])('a rate of %d', (rate, answer) => {
    expect(answers(THRESHOLDS, { rate })).toMatchObject(answer);
  });

  it('above the limit the weight is what min_threshold_response says, and never 0', () => {
    const pct = (more: string): AgentAnswer => answers(`    thresholds:\n      - pct: 100\n${more}`, 250);
    expect(pct('        min_threshold_response: 5\n').weightPercent).toBe(5);
    expect(pct('        min_threshold_response: 0\n').weightPercent).toBe(1);
    expect(pct('')).toMatchObject({ admin: 'ready', health: 'up', weightPercent: 1 });
  });

  it.each([
    ['"<5"', 4, 5],
    ['">5"', 6, 5],
    ['"!5"', 4, 5],
    ['"=5"', 5, 4],
    ['5', 5, 4],
    ['"<=5"', 5, 6],
    ['">= 5.5"', 5.5, 5],
  ])('maint: %s', (threshold, inside, outside) => {
    const rule = `    thresholds:\n      - maint: ${threshold}\n`;
    expect(answers(rule, inside).admin).toBe('maint');
    expect(answers(rule, outside)).toEqual({
      admin: 'ready',
      health: 'up',
      weightPercent: 100,
      reason: 'no rule matches',
    });
  });
});

describe('patterns', () => {
  const PATTERNS = `
    patterns_metric: "r['health']"
    patterns:
      - ready: '.*healthy.*'
      - down: '.*unhealthy.*'
      - drain: 'maxed'
`;
  it('the first match wins, from the beginning of the text', () => {
    // The order of the original's own example: unhealthy is healthy there.
    expect(answers(PATTERNS, { health: 'unhealthy' })).toMatchObject({ admin: 'ready', health: 'up' });
    expect(answers(PATTERNS, { health: 'maxed out' })).toMatchObject({ admin: 'drain' });
    expect(answers(PATTERNS, { health: 'is maxed' }).reason).toBe('no rule matches');
  });

  it.each<[string, PythonValue, boolean]>([
    ['ok$', 'ok\n', true],
    ['ok$', 'ok\n\n', false],
    ['ok\\Z', 'ok\n', false],
    ['(?i)OK', 'ok', true],
    ['\\AOK', 'ok', false],
    ['(?P<word>a)(?P=word)', 'aa', true],
    ['(?#why)a', 'a', true],
    ['[$]5', '$5', true],
    ['[^]$]a', 'ba', true],
    ['.', '\n', false],
    ['(?s).', '\n', true],
    ['None', null, true],
    ['True', true, true],
    ['5', 5, true],
    ["\\{'a': \\[1, None\\]\\}", { a: [1, null] }, true],
  ])('%s as Python reads it, on %j', (pattern, value, matches) => {
    const lines = `    patterns:\n      - drain: ${JSON.stringify(pattern)}\n`;
    expect(answers(lines, value).admin).toBe(matches ? 'drain' : 'ready');
  });

  it('a word of the thresholds overrides one of the patterns; the line holds both kinds', () => {
    const both = `${PATTERNS}${THRESHOLDS}`;
    expect(answers(both, { health: 'healthy', rate: 3_500 })).toMatchObject({
      admin: 'ready',
      weightPercent: 50,
    });
    expect(answers(both, { health: 'healthy', rate: 9_000 })).toMatchObject({ admin: 'drain' });
    expect(answers(both, { health: 'maxed', rate: 3_500 })).toMatchObject({
      admin: 'drain',
      weightPercent: 50,
    });
  });
});

describe('what is answered when nothing is known', () => {
  const lines = (response: string): string => `
    interval: 5
    staleness_interval: 10
    staleness_response: ${response}
${THRESHOLDS}`;
  const stale = (response: string): AgentAnswer => {
    const given = plugin(lines(response));
    const state = newPluginState(0);
    takeReading(state, given, { rate: 700 }, 1_000);
    expect(takeReading(state, given, null, 9_000).ok).toBe(false);
    expect(pluginAnswer(state, given, 11_000).weightPercent).toBe(90);
    return pluginAnswer(state, given, 11_001);
  };

  it('stale with noop: the least weight, in words', () => {
    expect(stale('noop')).toEqual({
      admin: 'ready',
      health: 'up',
      weightPercent: 1,
      reason: 'stale: no reading for 10 s',
    });
  });

  it.each([
    ['down', { admin: 'ready', health: 'down' }],
    ['drain', { admin: 'drain', health: 'up' }],
    ["'MAINT'", { admin: 'maint', health: 'up' }],
    ["'10%'", { admin: 'ready', health: 'up', weightPercent: 10 }],
    ["'0%'", { admin: 'drain' }],
    ["'up 50% # old'", { weightPercent: 50, reason: 'old' }],
    ['stopped', { health: 'down', reason: 'stopped' }],
    ["'maxconn:30'", { admin: 'ready', health: 'up', maxConnections: 30 }],
  ])('stale with %s', (response, answer) => {
    expect(stale(response)).toMatchObject(answer);
  });

  it('before the first reading: neutral, in words', () => {
    const given = plugin(THRESHOLDS);
    expect(pluginAnswer(newPluginState(0), given, 1e9)).toEqual({
      admin: 'ready',
      health: 'up',
      weightPercent: 100,
      reason: 'no reading yet',
    });
  });

  it('no rule matches: the default response', () => {
    const rule = '    default_response: maint\n    thresholds:\n      - drain: ">5"\n';
    expect(answers(rule, 3)).toMatchObject({ admin: 'maint', reason: 'no rule matches' });
  });
});

describe('a file', () => {
  const whole = (lines: string): string =>
    `plugins:\n  - {name: a, herald_plugin_name: herald_file, file_path: /f, thresholds: [{pct: 5}]${lines}}\n`;

  it('takes the defaults of the original', () => {
    const config = decode(whole(''));
    expect(config).toMatchObject({ ok: true, value: { name: '', host: '0.0.0.0', port: 5555, ignored: [] } });
  });

  it('knows the plugin marked default as the first, also with `default: true`', () => {
    const two = `${whole('')}  - {name: b, default: true, herald_plugin_name: herald_http, url: 'http://x/', thresholds: [{pct: 5}]}\n`;
    const config = decode(two);
    expect(config.ok && config.value.plugins.map(({ name }) => name)).toEqual(['b', 'a']);
  });

  it('names keys it does not know', () => {
    const config = decode(`colour: red\n${whole(', intervall: 5')}`);
    expect(config.ok && config.value.ignored).toEqual(['colour', 'plugins[0].intervall']);
  });

  it.each([
    ['plugins: []', 'plugins: '],
    ['nothing: here', 'plugins: '],
    ['just a text', 'the file: '],
    [`port: 70000\n${whole('')}`, 'port: received 70000'],
    [whole(', interval: -1'), 'plugins[0].interval: received -1'],
    [whole(', interval: .nan'), 'plugins[0].interval: '],
    [whole(', is_json: maybe'), 'plugins[0].is_json: received "maybe", expected yes or no'],
    [whole(', staleness_response: sideways'), 'plugins[0].staleness_response: received "sideways"'],
    [whole(", thresholds_metric: 'open(1)'"), 'plugins[0].thresholds_metric: received "open(1)"'],
    [whole(", patterns: [{down: '('}]"), 'plugins[0].patterns[0].down: received "("'],
    [whole(', patterns: [{down: a, up: b}]'), 'plugins[0].patterns[0]: '],
    [whole(", patterns: [{sideways: '.'}]"), 'plugins[0].patterns[0]: received "sideways"'],
    [whole('').replace('pct: 5', 'pct: 0'), 'plugins[0].thresholds[0].pct: received 0'],
    ...['-1', '101', 'low'].map((least) => [
      whole('').replace('pct: 5', `pct: 5, min_threshold_response: ${least}`),
      'plugins[0].thresholds[0].min_threshold_response: received ',
    ]),
    [whole('').replace('pct: 5', 'drain: many'), 'plugins[0].thresholds[0].drain: received "many"'],
    [whole('').replace('herald_file', 'own_plugin'), 'plugins in Python are not loaded'],
    [whole('').replace('herald_file', 'herald_http'), 'plugins[0].url: received nothing'],
    [
      `${whole('')}${whole('').split('\n')[1]!}\n`,
      'plugins[1].name: received "a", expected a name of its own',
    ],
  ])('is refused by its key, case %#', (yaml, words) => {
    const config = decode(yaml);
    expect(config.ok ? 'accepted' : refusalText(config.refusal)).toContain(words);
  });
});
