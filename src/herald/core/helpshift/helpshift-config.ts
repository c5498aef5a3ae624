// A helpshift/herald file, decoded: its keys are that program's, read as they are. Seconds become
// milliseconds, expressions and patterns are compiled here, and whatever could only fail later is refused now.

import type { Decoded, Fields } from '../../../protocol/decode.ts';
import { decoding, optionalInteger, readFields, refuse } from '../../../protocol/decode.ts';
import type { AgentWords } from './agent-words.ts';
import { readAgentWords } from './agent-words.ts';
import { readExpression } from './expression.ts';
import type { Rules } from './rules.ts';
import { readPatternRule, readThresholdRule } from './rules.ts';

export interface HelpshiftConfig {
  /** First half of what `agent-send` may name: `name/plugin`. */
  name: string;
  host: string;
  port: number;
  /** At least one, names unique; the first is the one meant when none is named. */
  plugins: readonly HelpshiftPlugin[];
  /** Keys that this reader does not know and the original would ignore as well. */
  ignored: readonly string[];
}

export interface HelpshiftPlugin {
  name: string;
  source: { kind: 'http'; url: string } | { kind: 'file'; path: string };
  isJson: boolean;
  /** 0 = read when asked. */
  intervalMs: number;
  /** 0 = never stale. */
  stalenessMs: number;
  stalenessResponse: AgentWords;
  defaultResponse: AgentWords;
  rules: Rules;
}

const MAX_PLUGINS = 100;
const MAX_RULES = 100;
const MAX_SECONDS = 86_400;
const FILE_KEYS = ['name', 'bind', 'port', 'plugins_dir', 'plugins'];
const PLUGIN_KEYS = [
  ...['name', 'herald_plugin_name', 'default', 'url', 'file_path', 'is_json', 'stop_timeout', 'interval'],
  ...['staleness_interval', 'staleness_response', 'default_response'],
  ...['patterns', 'patterns_metric', 'thresholds', 'thresholds_metric'],
];

export function decodeHelpshift(value: unknown): Decoded<HelpshiftConfig> {
  return decoding(() => {
    const file = readFields(value, 'the file');
    const entries = list(file, 'plugins', 'plugins', MAX_PLUGINS);
    const fields = entries.map((entry, i) => readFields(entry, `plugins[${i}]`));
    const plugins = fields.map((plugin, i) => readPlugin(plugin, `plugins[${i}]`));
    if (plugins.length === 0) refuse('plugins', entries, 'at least one plugin');
    for (const [i, { name }] of plugins.entries()) {
      if (plugins.findIndex((one) => one.name === name) < i)
        refuse(`plugins[${i}].name`, name, 'a name of its own');
    }
    const chosen = Math.max(
      0,
      fields.findIndex((plugin, i) => flag(plugin, 'default', `plugins[${i}]`)),
    );
    return {
      name: text(file, 'name', 'name', ''),
      // The defaults of the original.
      host: text(file, 'bind', 'bind', '') || '0.0.0.0',
      port: optionalInteger(file, 'port', 0, 65_535) ?? 5555,
      plugins: [plugins[chosen]!, ...plugins.filter((_, i) => i !== chosen)],
      ignored: [
        ...Object.keys(file).filter((key) => !FILE_KEYS.includes(key)),
        ...fields.flatMap((plugin, i) =>
          Object.keys(plugin)
            .filter((key) => !PLUGIN_KEYS.includes(key))
            .map((key) => `plugins[${i}].${key}`),
        ),
      ],
    };
  });
}

function readPlugin(fields: Fields, at: string): HelpshiftPlugin {
  const patterns = list(fields, 'patterns', `${at}.patterns`, MAX_RULES);
  const thresholds = list(fields, 'thresholds', `${at}.thresholds`, MAX_RULES);
  if (patterns.length + thresholds.length === 0) refuse(at, Object.keys(fields), 'patterns or thresholds');
  const metric = (key: string) => readExpression(text(fields, key, `${at}.${key}`, 'r'), `${at}.${key}`);
  const response = (key: string) => readAgentWords(text(fields, key, `${at}.${key}`, 'noop'), `${at}.${key}`);
  seconds(fields, 'stop_timeout', at);
  return {
    name: text(fields, 'name', `${at}.name`),
    source: readSource(fields, at),
    isJson: flag(fields, 'is_json', at),
    intervalMs: seconds(fields, 'interval', at),
    stalenessMs: seconds(fields, 'staleness_interval', at),
    stalenessResponse: response('staleness_response'),
    defaultResponse: response('default_response'),
    rules: {
      ...(patterns.length > 0 && {
        patterns: {
          metric: metric('patterns_metric'),
          rules: patterns.map((rule, i) => readPatternRule(rule, `${at}.patterns[${i}]`)),
        },
      }),
      ...(thresholds.length > 0 && {
        thresholds: {
          metric: metric('thresholds_metric'),
          rules: thresholds.map((rule, i) => readThresholdRule(rule, `${at}.thresholds[${i}]`)),
        },
      }),
    },
  };
}

function readSource(fields: Fields, at: string): HelpshiftPlugin['source'] {
  const kind = text(fields, 'herald_plugin_name', `${at}.herald_plugin_name`);
  if (kind === 'herald_file') return { kind: 'file', path: text(fields, 'file_path', `${at}.file_path`) };
  if (kind !== 'herald_http') {
    refuse(`${at}.herald_plugin_name`, kind, 'herald_http or herald_file (plugins in Python are not loaded)');
  }
  const url = text(fields, 'url', `${at}.url`);
  if (!/^https?:\/\/[^\s]+$/i.test(url)) refuse(`${at}.url`, url, 'an http:// or https:// URL');
  return { kind: 'http', url };
}

/** A number counts as its text; without a default the key is needed. */
function text(fields: Fields, key: string, field: string, otherwise?: string): string {
  const value = fields[key] ?? otherwise;
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && (value !== '' || otherwise !== undefined)
    ? value
    : refuse(field, value, 'a text');
}

function flag(fields: Fields, key: string, at: string): boolean {
  const value = fields[key] ?? false;
  return typeof value === 'boolean' ? value : refuse(`${at}.${key}`, value, 'yes or no');
}

function seconds(fields: Fields, key: string, at: string): number {
  const value = fields[key] ?? 0;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_SECONDS)) {
    refuse(`${at}.${key}`, value, `seconds from 0 to ${MAX_SECONDS}`);
  }
  return value * 1_000;
}

function list(fields: Fields, key: string, field: string, most: number): readonly unknown[] {
  const value = fields[key] ?? [];
  if (!Array.isArray(value) || value.length > most) refuse(field, value, `a list of at most ${most}`);
  return value as unknown[];
}
