// Computes a parsed expression on what a plugin read. Ends in a value or in a refusal that says what was
// wrong with the reading; there is no third way, however odd either of them is.

import type { Decoded } from '../../../protocol/decode.ts';
import { decoding, refuse } from '../../../protocol/decode.ts';
import type { Comparison, Expression, FunctionName, MethodName } from './expression.ts';
import type { PythonValue } from './python-value.ts';
import { asNumber, asText, isDict, isEqual, isList, isTrue, numberOf } from './python-value.ts';

/** Longer texts than this cannot be made by adding texts up. */
const MAX_TEXT_CHARS = 2_000_000;

export function evaluateExpression(expression: Expression, r: PythonValue): Decoded<PythonValue> {
  return decoding(() => valueOf(expression, r));
}

function valueOf(expression: Expression, r: PythonValue): PythonValue {
  const of = (inner: Expression): PythonValue => valueOf(inner, r);
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'r':
      return r;
    case 'list':
      return expression.items.map(of);
    case 'item':
      return itemOf(of(expression.of), of(expression.key));
    case 'call':
      return called(expression.name, expression.args.map(of));
    case 'method':
      return method(of(expression.of), expression.name, expression.args.map(of));
    case 'unary': {
      const value = of(expression.of);
      if (expression.sign === 'not') return !isTrue(value);
      return expression.sign === '-' ? -numberOf(value, '-') : numberOf(value, '+');
    }
    case 'binary':
      return binary(expression.sign, of(expression.left), of(expression.right));
    case 'compare': {
      let left = of(expression.first);
      for (const { sign, right } of expression.rest) {
        const value = of(right);
        if (!compared(sign, left, value)) return false;
        left = value;
      }
      return true;
    }
    // As in Python, `and` and `or` give one of their sides.
    case 'and': {
      const left = of(expression.left);
      return isTrue(left) ? of(expression.right) : left;
    }
    case 'or': {
      const left = of(expression.left);
      return isTrue(left) ? left : of(expression.right);
    }
    case 'if':
      return isTrue(of(expression.test)) ? of(expression.then) : of(expression.otherwise);
  }
}

function itemOf(value: PythonValue, key: PythonValue): PythonValue {
  if (isDict(value)) {
    const name = asText(key);
    if (!Object.hasOwn(value, name)) {
      refuse(
        `r[${name.slice(0, 80)}]`,
        null,
        `one of ${Object.keys(value).slice(0, 10).join(', ').slice(0, 200)}`,
      );
    }
    return value[name]!;
  }
  const index = asNumber(key);
  if (!(isList(value) || typeof value === 'string') || index === undefined || !Number.isInteger(index)) {
    refuse(
      '[ ]',
      key,
      isList(value) || typeof value === 'string' ? 'an index' : 'an object or a list before it',
    );
  }
  const at = index < 0 ? value.length + index : index;
  return value[at] ?? refuse('[ ]', index, `an index below ${value.length}`);
}

type Sign = (Expression & { kind: 'binary' })['sign'];

function binary(sign: Sign, left: PythonValue, right: PythonValue): PythonValue {
  if (sign === '+' && typeof left === 'string' && typeof right === 'string') {
    const text = left + right;
    if (text.length > MAX_TEXT_CHARS)
      refuse('+', text.length, `texts of at most ${MAX_TEXT_CHARS} characters`);
    return text;
  }
  const a = numberOf(left, `left of ${sign}`);
  const b = numberOf(right, `right of ${sign}`);
  if (b === 0 && (sign === '/' || sign === '//' || sign === '%')) refuse(`right of ${sign}`, 0, 'not 0');
  return numberOf(arithmetic(sign, a, b), `result of ${sign}`);
}

function arithmetic(sign: Sign, a: number, b: number): number {
  switch (sign) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%':
      // Python's remainder has the sign of the divisor.
      return a - b * Math.floor(a / b);
    case '**':
      return a ** b;
  }
}

function compared(sign: Comparison, left: PythonValue, right: PythonValue): boolean {
  if (sign === '==') return isEqual(left, right);
  if (sign === '!=') return !isEqual(left, right);
  if (sign === 'in') return isIn(left, right);
  if (sign === 'not in') return !isIn(left, right);
  const bothTexts = typeof left === 'string' && typeof right === 'string';
  const a = bothTexts ? left : numberOf(left, `left of ${sign}`);
  const b = bothTexts ? right : numberOf(right, `right of ${sign}`);
  if (sign === '<') return a < b;
  if (sign === '>') return a > b;
  return sign === '<=' ? a <= b : a >= b;
}

function isIn(item: PythonValue, whole: PythonValue): boolean {
  if (isList(whole)) return whole.some((one) => isEqual(one, item));
  if (isDict(whole)) return Object.hasOwn(whole, asText(item));
  if (typeof whole === 'string' && typeof item === 'string') return whole.includes(item);
  return refuse('right of in', whole, 'a list, an object or a text');
}

function called(name: FunctionName, args: readonly PythonValue[]): PythonValue {
  const [first = null, second] = args;
  const most = name === 'min' || name === 'max' ? 1_000 : name === 'round' ? 2 : 1;
  if (args.length < 1 || args.length > most) refuse(`${name}()`, args.length, `1 to ${most} arguments`);
  switch (name) {
    case 'abs':
      return Math.abs(numberOf(first, name));
    case 'int':
      return Math.trunc(numberIn(first, name, /^\s*[-+]?\d+\s*$/));
    case 'float':
      return numberIn(first, name, /^\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*$/);
    case 'len':
      if (typeof first === 'string' || isList(first)) return first.length;
      return isDict(first)
        ? Object.keys(first).length
        : refuse('len()', first, 'a text, a list or an object');
    case 'max':
    case 'min': {
      const numbers = listOf(args.length === 1 ? first : args, name).map((item) => numberOf(item, name));
      if (numbers.length === 0) refuse(`${name}()`, first, 'at least one number');
      return numbers.reduce((a, b) => (name === 'min' ? Math.min(a, b) : Math.max(a, b)));
    }
    case 'round': {
      const digits = second === undefined ? 0 : numberOf(second, name);
      if (!(digits >= 0 && digits <= 15)) refuse('round()', digits, '0 to 15 digits');
      const number = numberOf(first, name);
      return (
        Math.sign(number) * Number(`${Math.round(Number(`${Math.abs(number)}e${digits}`))}e-${digits}`) || 0
      );
    }
    case 'str':
      return asText(first);
    case 'sum':
      return numberOf(
        listOf(first, name).reduce((sum: number, item) => sum + numberOf(item, name), 0),
        name,
      );
  }
}

/** A number, or a text that is one in Python's eyes. */
function numberIn(value: PythonValue, name: string, form: RegExp): number {
  if (typeof value !== 'string') return numberOf(value, name);
  return form.test(value)
    ? numberOf(Number(value), name)
    : refuse(`${name}()`, value, 'a text that is a number');
}

function listOf(value: PythonValue, name: string): readonly PythonValue[] {
  return isList(value) ? value : refuse(`${name}()`, value, 'a list');
}

function method(of: PythonValue, name: MethodName, args: readonly PythonValue[]): PythonValue {
  if (name === 'get') {
    if (!isDict(of)) refuse('.get()', of, 'an object');
    if (args.length < 1 || args.length > 2) refuse('.get()', args.length, '1 or 2 arguments');
    const key = asText(args[0]!);
    return Object.hasOwn(of, key) ? of[key]! : (args[1] ?? null);
  }
  if (name === 'values') return isDict(of) ? Object.values(of) : refuse('.values()', of, 'an object');
  if (typeof of !== 'string') return refuse(`.${name}()`, of, 'a text');
  if (name === 'split') {
    const [by = null] = args;
    if (by === null) return of.split(/\s+/).filter((part) => part !== '');
    return typeof by === 'string' && by !== '' ? of.split(by) : refuse('.split()', by, 'a text');
  }
  if (args.length > 0) refuse(`.${name}()`, args.length, 'no argument');
  if (name === 'strip') return of.trim();
  return name === 'lower' ? of.toLowerCase() : of.toUpperCase();
}
