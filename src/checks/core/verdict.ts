// What a check says, in the words that Sensu and Nagios read: an exit code and one line,
// `NAME STATE - text | label=value[UOM];warn;crit;min;max ...` (Nagios Plugin Development Guidelines,
// sections "Plugin Output" and "Performance data").

export type Severity = 'ok' | 'warning' | 'critical' | 'unknown';

const EXIT_CODES: Readonly<Record<Severity, 0 | 1 | 2 | 3>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
};

/** Where a figure starts to be a warning and a trouble. */
export interface Limits {
  warn: number;
  crit: number;
  /** `high`: more is worse. `low`: less is worse. */
  worse: 'high' | 'low';
}

export interface Figure {
  label: string;
  value: number;
  /** `s`, `ms`, `us`, `%`, `B`, `c` (a counter), or nothing. */
  unit?: 's' | 'ms' | 'us' | '%' | 'B' | 'c';
  limits?: Limits;
  min?: number;
  max?: number;
}

export interface Verdict {
  severity: Severity;
  text: string;
  figures: Figure[];
}

/** What crosses the process: an exit code and the line without its newline. */
export interface CheckResult {
  exitCode: 0 | 1 | 2 | 3;
  line: string;
}

export function severityOf(value: number, { warn, crit, worse }: Limits): Severity {
  // A value that is no number is never fine.
  if (!Number.isFinite(value)) return 'unknown';
  const beyond = (limit: number): boolean => (worse === 'high' ? value >= limit : value <= limit);
  return beyond(crit) ? 'critical' : beyond(warn) ? 'warning' : 'ok';
}

export function checkResult(name: string, { severity, text, figures }: Verdict): CheckResult {
  const said = `${name.toUpperCase()} ${severity.toUpperCase()} - ${plain(text)}`;
  const measured = figures.filter(({ value }) => Number.isFinite(value)).map(figureText);
  return {
    exitCode: EXIT_CODES[severity],
    line: measured.length === 0 ? said : `${said} | ${measured.join(' ')}`,
  };
}

function figureText({ label, value, unit, limits, min, max }: Figure): string {
  const edge = (limit: number | undefined): string => {
    if (limit === undefined) return '';
    return limits?.worse === 'low' ? belowRange(limit) : aboveRange(limit);
  };
  const fields = [
    `${plainLabel(label)}=${decimal(value)}${unit ?? ''}`,
    edge(limits?.warn),
    edge(limits?.crit),
    min === undefined ? '' : decimal(min),
    max === undefined ? '' : decimal(max),
  ];
  return fields.join(';');
}

/** Readers alert outside `0:limit`. */
const aboveRange = (limit: number): string => decimal(limit);
/** Readers alert inside `@0:limit`, the limit included: one broker is as bad as the limit 1 says. */
const belowRange = (limit: number): string => `@0:${decimal(limit)}`;

/** No exponent: many readers of performance data do not know one. */
function decimal(value: number): string {
  if (Math.abs(value) >= 1e21) return BigInt(value).toString();
  const text = value.toFixed(3).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}

/** A label without what would have to be quoted. */
function plainLabel(label: string): string {
  return label.replace(/['=|;\s]+/g, '_');
}

/** One line of printable characters, without the bar that starts the performance data. */
function plain(text: string): string {
  return text.replace(/[|\p{Cc}]+/gu, ' ').slice(0, 500);
}
