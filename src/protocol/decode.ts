// The one way bytes from outside become values: a decoder returns a value or a refusal that names the
// field, what was received and what was expected. No decoder throws.

/** Why a value was refused, in words fit for an API's answer. */
export interface Refusal {
  field: string;
  /** The value as received, shortened to 80 characters. */
  received: string;
  expected: string;
}

export type Decoded<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export type Fields = Record<string, unknown>;

class RefusedField extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.field);
    this.refusal = refusal;
  }
}

/** Runs a reader made of the functions below; a refused field becomes a value, any other error is ours. */
export function decoding<T>(read: () => T): Decoded<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof RefusedField) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

/** Ends the reader that is running with a refusal. Only to be called inside `decoding`. */
export function refuse(field: string, received: unknown, expected: string): never {
  throw new RefusedField({ field, received: shown(received), expected });
}

/** The value as a short JSON text, at most 80 characters, whatever it is; URLs in it without user and password. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = hideCredentials((asJson(value) ?? typeof value).slice(0, 1_000));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** For messages about URLs: a refused one may hold a password. */
export function hideCredentials(text: string): string {
  return text.replace(/:\/\/[^\s",]*@/g, '://[hidden]@');
}

/**
 * JSON, or undefined for a value that has none: a function, a cycle, or thousands of nested levels, which JSON.parse
 * reads and JSON.stringify throws on. So a value that a peer sent cannot always be written back.
 */
export function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function readFields(value: unknown, field: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(field, value, 'a JSON object');
  }
  return value as Fields;
}

/** A finite number in [min, max]; `undefined` stays undefined. Infinity (`1e999` in JSON) is refused. */
export function optionalNumber(from: Fields, field: string, min: number, max: number): number | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    refuse(field, value, `a number from ${min} to ${max}`);
  }
  // -0 is 0: texts made of it, and comparisons by identity, would tell them apart.
  return value + 0;
}

export function optionalInteger(from: Fields, field: string, min: number, max: number): number | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    refuse(field, value, `an integer from ${min} to ${max}`);
  }
  return value + 0;
}

export function requiredInteger(from: Fields, field: string, min: number, max: number): number {
  return (
    optionalInteger(from, field, min, max) ?? refuse(field, from[field], `an integer from ${min} to ${max}`)
  );
}

export function optionalBoolean(from: Fields, field: string): boolean | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') refuse(field, value, 'true or false');
  return value;
}

/** A string that matches `pattern`; `expected` says the same in words. */
export function optionalText(
  from: Fields,
  field: string,
  pattern: RegExp,
  expected: string,
): string | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !pattern.test(value)) refuse(field, value, expected);
  return value;
}

export function requiredText(from: Fields, field: string, pattern: RegExp, expected: string): string {
  return optionalText(from, field, pattern, expected) ?? refuse(field, from[field], expected);
}

export function optionalChoice<T extends string>(
  from: Fields,
  field: string,
  choices: readonly T[],
): T | undefined {
  const value = from[field];
  if (value === undefined || value === null) return undefined;
  const found = choices.find((choice) => choice === value);
  return found ?? refuse(field, value, `one of ${choices.join(', ')}`);
}

/** `JSON.parse` as a decoder. */
export function decodeJson(text: string, field = 'body'): Decoded<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, refusal: { field, received: shown(text), expected: 'valid JSON' } };
  }
}

export function refusalText(refusal: Refusal): string {
  return `${refusal.field}: received ${refusal.received}, expected ${refusal.expected}`;
}
