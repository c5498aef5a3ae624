// Configuration as data. A daemon lists its options once; file, environment and flags are read through that
// list, in this order of growing strength: default, `--config file.yaml`, `HERALD_*`, flag. Unknown keys
// stop the start and name the nearest known one. Nothing in a file is ever evaluated.

import { StartError } from './lifecycle.ts';
import { heraldBaseOf } from '../protocol/lookup.ts';
import { didYouMean } from '../protocol/nearest.ts';
import { readTextFile } from './text-file.ts';
import { messageOf } from './thrown.ts';
import { parseYaml } from './yaml.ts';

interface OptionShape<T> {
  default: T;
  /** One line for --help: what it does and, where it is not obvious, why the default. */
  help: string;
  secret?: boolean;
}

export interface TextOption extends OptionShape<string> {
  kind: 'text';
  choices?: readonly string[];
}
export interface NumberOption extends OptionShape<number> {
  kind: 'number';
  min: number;
  max: number;
  integer: boolean;
}
export interface FlagOption extends OptionShape<boolean> {
  kind: 'flag';
}
export interface ListOption extends OptionShape<readonly string[]> {
  kind: 'list';
  /** What each item must be, where not any text will do, and what is made of it. */
  items?: { fit: (item: string) => boolean; words: string; read?: (item: string) => string };
}
export type Option = TextOption | NumberOption | FlagOption | ListOption;
export type Options = Readonly<Record<string, Option>>;

export type Config<O extends Options> = { readonly [K in keyof O]: O[K]['default'] };

export const text = (value: string, help: string): TextOption => ({ kind: 'text', default: value, help });
/** A text that is never printed or logged. */
export const secret = (help: string): TextOption => ({ kind: 'text', default: '', help, secret: true });
export function choice<T extends string>(
  choices: readonly T[],
  value: T,
  help: string,
): TextOption & { default: T } {
  return { kind: 'text', default: value, choices, help };
}
export const integer = (value: number, min: number, max: number, help: string): NumberOption => ({
  kind: 'number',
  default: value,
  min,
  max,
  integer: true,
  help,
});
export const number = (value: number, min: number, max: number, help: string): NumberOption => ({
  kind: 'number',
  default: value,
  min,
  max,
  integer: false,
  help,
});
export const flag = (value: boolean, help: string): FlagOption => ({ kind: 'flag', default: value, help });
export const list = (value: readonly string[], help: string): ListOption => ({
  kind: 'list',
  default: value,
  help,
});

/** A list of URLs of Heralds: http:// or https://, as what the paths of the API follow. */
export const urls = (value: readonly string[], help: string): ListOption => ({
  ...list(value, help),
  items: {
    fit: (item) => isHttpUrl(item) && !/[?#@]/.test(item),
    words: 'http:// or https:// URLs, no credentials, no query',
    read: heraldBaseOf,
  },
});

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** A list of origins as browsers write them: scheme, host and port, nothing behind. `*` = any. */
export const origins = (value: readonly string[], help: string): ListOption => ({
  ...list(value, help),
  items: {
    fit: (item) => item === '*' || item === 'null' || isOrigin(item),
    words: 'origins such as https://app.example.com, in lower case, no path, no default port, or *',
  },
});

function isOrigin(text: string): boolean {
  if (text.includes('*') || !URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return host !== '' && text === `${protocol}//${host}`;
}

/** `publicListen` -> `HERALD_PUBLIC_LISTEN`. */
export function envName(key: string): string {
  return `HERALD_${words(key).join('_').toUpperCase()}`;
}

/** `publicListen` -> `--public-listen`. */
export function flagName(key: string): string {
  return `--${words(key).join('-').toLowerCase()}`;
}

function words(key: string): string[] {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').split(' ');
}

export interface ConfigSources {
  /** Path of a YAML file; its keys are the option keys. */
  file?: string | undefined;
  env?: Readonly<Record<string, string | undefined>>;
  /** Values given as flags, by option key; undefined = not given. */
  flags?: Readonly<Record<string, unknown>>;
}

/** Reads all sources. Throws one StartError that lists every problem. */
export function loadConfig<O extends Options>(options: O, sources: ConfigSources): Config<O> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) values[key] = option.default;

  const take = (key: string, given: unknown, from: string): void => {
    const checked = check(options[key]!, given);
    if (checked.ok) values[key] = checked.value;
    else
      problems.push(
        `${from}: ${options[key]!.secret ? 'the value given' : shown(given)} is not ${checked.expected}`,
      );
  };

  if (sources.file !== undefined) {
    for (const [key, given] of Object.entries(readYaml(sources.file))) {
      if (Object.hasOwn(options, key)) take(key, given, `${sources.file}: ${key}`);
      else problems.push(`${sources.file}: unknown key ${key}${didYouMean(key, Object.keys(options))}`);
    }
  }
  for (const key of Object.keys(options)) {
    const given = sources.env?.[envName(key)];
    if (given !== undefined && given !== '') take(key, given, envName(key));
  }
  for (const [key, given] of Object.entries(sources.flags ?? {})) {
    if (given !== undefined && Object.hasOwn(options, key)) take(key, given, flagName(key));
  }
  if (problems.length > 0) throw new StartError(problems);
  return values as Config<O>;
}

function shown(given: unknown): string {
  if (typeof given === 'number') return String(given);
  try {
    return JSON.stringify(given);
  } catch {
    return 'a value that holds itself';
  }
}

const MAX_CONFIG_MB = 1;

function readYaml(path: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parseYaml(readTextFile(path, MAX_CONFIG_MB));
  } catch (error) {
    // The parser's first line ends with a colon, before the lines that it quotes.
    throw new StartError(`${path}: ${messageOf(error).split('\n')[0]!.replace(/:$/, '')}`);
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content))
    throw new StartError(`${path}: expected keys and values`);
  return content as Record<string, unknown>;
}

type Checked = { ok: true; value: unknown } | { ok: false; expected: string };

/** Environment and flags give texts, YAML gives typed values; both end as the option's type. */
function check(option: Option, given: unknown): Checked {
  switch (option.kind) {
    case 'text':
      return checkText(option, given);
    case 'number':
      return checkNumber(option, given);
    case 'flag':
      return checkFlag(given);
    case 'list':
      return checkList(option, given);
  }
}

function checkText({ secret, choices }: TextOption, given: unknown): Checked {
  // A number that YAML had to round, or wrote in its own way, is not the text that stands in the file.
  const whole = typeof given === 'number' && Number.isSafeInteger(given) && !secret;
  const value = whole ? String(given) : given;
  if (typeof value === 'number') return { ok: false, expected: 'a text; put it in quotes' };
  if (typeof value !== 'string') return { ok: false, expected: 'a text' };
  if (choices && !choices.includes(value)) {
    return { ok: false, expected: `one of ${choices.join(', ')}${didYouMean(value, choices)}` };
  }
  return { ok: true, value };
}

function checkNumber({ min, max, integer }: NumberOption, given: unknown): Checked {
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  const isNumber = typeof value === 'number' && (!integer || Number.isInteger(value));
  if (isNumber && value >= min && value <= max) return { ok: true, value };
  return { ok: false, expected: `${integer ? 'an integer' : 'a number'} from ${min} to ${max}` };
}

function checkFlag(given: unknown): Checked {
  if (given === true || given === 'true' || given === '1') return { ok: true, value: true };
  if (given === false || given === 'false' || given === '0') return { ok: true, value: false };
  return { ok: false, expected: 'true or false' };
}

function checkList(option: ListOption, given: unknown): Checked {
  const items = typeof given === 'string' ? given.split(',').map((item) => item.trim()) : given;
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
    return { ok: false, expected: 'a list of texts, or one text with commas' };
  }
  const value = items.filter((item) => item !== '');
  if (option.items && !value.every(option.items.fit)) {
    return { ok: false, expected: `a list of ${option.items.words}` };
  }
  const { read } = option.items ?? {};
  return { ok: true, value: read ? value.map(read) : value };
}

/** The values as YAML lines with their help, secrets hidden: what `--print-config` shows. */
export function printConfig<O extends Options>(options: O, config: Config<O>): string {
  return Object.entries(options)
    .map(([key, option]) => {
      const value = config[key];
      const shown = option.secret && value !== '' ? '"[hidden]"' : JSON.stringify(value);
      return `# ${option.help}\n${key}: ${shown}\n`;
    })
    .join('');
}
