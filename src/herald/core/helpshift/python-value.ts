// What a helpshift/herald rule sees: JSON values that behave as Python's do, as far as its rules can tell.

import { refuse } from '../../../protocol/decode.ts';

/** A JSON value. Nested no deeper than `MAX_DEPTH` where it comes from outside, so that walks can recurse. */
export type PythonValue = null | boolean | number | string | readonly PythonValue[] | PythonDict;
export interface PythonDict {
  readonly [key: string]: PythonValue;
}

export const MAX_DEPTH = 64;

export function isList(value: PythonValue): value is readonly PythonValue[] {
  return Array.isArray(value);
}

export function isDict(value: PythonValue): value is PythonDict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Python counts True as 1 and False as 0. */
export function asNumber(value: PythonValue): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : undefined;
}

export function isTrue(value: PythonValue): boolean {
  if (isList(value)) return value.length > 0;
  if (isDict(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function isEqual(a: PythonValue, b: PythonValue): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]!));
  if (isDict(a) && isDict(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key]!, b[key]!))
    );
  }
  const [left, right] = [asNumber(a), asNumber(b)];
  return left !== undefined && right !== undefined ? left === right : a === b;
}

/** Python's `str()`: what a pattern is matched against. A whole float reads as an integer. */
export function asText(value: PythonValue): string {
  return typeof value === 'string' ? value : written(value);
}

function written(value: PythonValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') {
    const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
    const text = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
    return quote + (quote === "'" ? text.replaceAll("'", "\\'") : text) + quote;
  }
  if (isList(value)) return `[${value.map(written).join(', ')}]`;
  const pairs = Object.entries(value).map(([key, item]) => `${written(key)}: ${written(item)}`);
  return `{${pairs.join(', ')}}`;
}

/** True when nothing is nested deeper than `MAX_DEPTH`. Does not recurse, whatever it is given. */
export function isShallow(value: PythonValue): boolean {
  let level: PythonValue[] = [value];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((item) => (isList(item) ? [...item] : isDict(item) ? Object.values(item) : []));
    if (level.length === 0) return true;
  }
  return false;
}

/** Refuses what is no finite number, with the words of whoever needed one. */
export function numberOf(value: PythonValue, who: string): number {
  const number = asNumber(value);
  if (number === undefined || !Number.isFinite(number)) refuse(who, value, 'a finite number');
  return number;
}
