// Reads a plugin's output as Nagios does (base/utils.c splits at the first bar, the guidelines' section
// "Performance data" gives the rest), strictly: what it cannot read it throws on.

export interface PerformanceData {
  value: number;
  unit: string;
  warn: string;
  crit: string;
  min: number | undefined;
  max: number | undefined;
}

export interface NagiosLine {
  text: string;
  data: Record<string, PerformanceData>;
}

const RANGE = /^@?(-?\d+(\.\d+)?|~)?:?(-?\d+(\.\d+)?)?$/;
const ITEM = /^(?:'([^'=]+)'|([^'=\s]+))=(-?\d+(?:\.\d+)?)(s|ms|us|%|B|KB|MB|GB|TB|c)?(;.*)?$/;

export function readNagiosLine(output: string): NagiosLine {
  if (output.includes('\n')) throw new Error('more than one line');
  const bar = output.indexOf('|');
  const text = (bar < 0 ? output : output.slice(0, bar)).trim();
  const data: Record<string, PerformanceData> = {};
  const items = bar < 0 ? [] : (output.slice(bar + 1).match(/(?:'[^']*'|[^\s'])+/g) ?? []);
  for (const item of items) {
    const parts = ITEM.exec(item);
    if (!parts) throw new Error(`no performance data: ${item}`);
    const [warn = '', crit = '', min = '', max = '', ...more] = (parts[5] ?? '').slice(1).split(';');
    if (more.length > 0) throw new Error(`too many fields: ${item}`);
    for (const range of [warn, crit]) if (!RANGE.test(range)) throw new Error(`no range: ${range}`);
    const bound = (one: string): number | undefined => {
      if (one === '') return undefined;
      if (!/^-?\d+(\.\d+)?$/.test(one)) throw new Error(`no number: ${one}`);
      return Number(one);
    };
    data[parts[1] ?? parts[2]!] = {
      value: Number(parts[3]),
      unit: parts[4] ?? '',
      warn,
      crit,
      min: bound(min),
      max: bound(max),
    };
  }
  return { text, data };
}

/** What Nagios is content with: `limit` = within 0..limit, `limit:` = from limit, `@low:high` = outside. */
export function inRange(range: string, value: number): boolean {
  if (range.startsWith('@')) return !inRange(range.slice(1), value);
  const [low, high] = range.includes(':') ? range.split(':') : ['0', range];
  const above = low === '' || low === '~' || value >= Number(low);
  const below = high === undefined || high === '' || value <= Number(high);
  return above && below;
}
