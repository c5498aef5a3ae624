// The metric expressions of helpshift/herald, which evaluates them as Python code. Here they are parsed by a
// grammar of their own, at the start of the process, and can do nothing but compute:
//
//   expression  = or ["if" or "else" expression]
//   or          = and {"or" and}          and = not {"and" not}          not = "not" not | comparison
//   comparison  = sum {("<" | ">" | "<=" | ">=" | "==" | "!=" | ["not"] "in") sum}
//   sum         = product {("+" | "-") product}    product = unary {("*" | "/" | "//" | "%") unary}
//   unary       = ("-" | "+") unary | power        power   = postfix ["**" unary]
//   postfix     = atom {"[" expression "]" | "." method "(" arguments ")"}
//   atom        = number | text | True | False | None | "r" | function "(" arguments ")" | "(" expression ")" | list

import { refuse } from '../../../protocol/decode.ts';
import type { Word } from './expression-words.ts';
import { wordsOf } from './expression-words.ts';
import type { PythonValue } from './python-value.ts';

export const FUNCTIONS = ['abs', 'float', 'int', 'len', 'max', 'min', 'round', 'str', 'sum'] as const;
export const METHODS = ['get', 'lower', 'split', 'strip', 'upper', 'values'] as const;
export type FunctionName = (typeof FUNCTIONS)[number];
export type MethodName = (typeof METHODS)[number];
export type Comparison = '<' | '>' | '<=' | '>=' | '==' | '!=' | 'in' | 'not in';

export type Expression =
  | { kind: 'value'; value: PythonValue }
  /** What the plugin read. */
  | { kind: 'r' }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'item'; of: Expression; key: Expression }
  | { kind: 'call'; name: FunctionName; args: Expression[] }
  | { kind: 'method'; of: Expression; name: MethodName; args: Expression[] }
  | { kind: 'unary'; sign: '-' | '+' | 'not'; of: Expression }
  | { kind: 'binary'; sign: '+' | '-' | '*' | '/' | '//' | '%' | '**'; left: Expression; right: Expression }
  | { kind: 'compare'; first: Expression; rest: { sign: Comparison; right: Expression }[] }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'if'; test: Expression; then: Expression; otherwise: Expression };

const EXPRESSION_LIMITS = { maxChars: 1_000, maxNesting: 50 } as const;

/** Only to be called inside `decoding`. */
export function readExpression(text: string, field: string): Expression {
  if (text.length > EXPRESSION_LIMITS.maxChars) {
    refuse(field, text, `an expression of at most ${EXPRESSION_LIMITS.maxChars} characters`);
  }
  return new Parser(wordsOf(text, field), text, field).whole();
}

const CONSTANTS: Readonly<Record<string, PythonValue>> = { True: true, False: false, None: null };

class Parser {
  readonly #words: readonly Word[];
  readonly #text: string;
  readonly #field: string;
  #next = 0;
  #nesting = 0;

  constructor(words: readonly Word[], text: string, field: string) {
    this.#words = words;
    this.#text = text;
    this.#field = field;
  }

  whole(): Expression {
    const expression = this.#expression();
    if (this.#next < this.#words.length) this.#unexpected('the end');
    return expression;
  }

  #expression(): Expression {
    return this.#nested(() => {
      const then = this.#or();
      if (!this.#take('if')) return then;
      const test = this.#or();
      this.#need('else');
      return { kind: 'if', test, then, otherwise: this.#expression() };
    });
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take('or')) left = { kind: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#take('and')) left = { kind: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    if (!this.#take('not')) return this.#comparison();
    return this.#nested(() => ({ kind: 'unary', sign: 'not', of: this.#not() }));
  }

  #comparison(): Expression {
    const first = this.#sum();
    const rest: { sign: Comparison; right: Expression }[] = [];
    for (let sign = this.#comparisonSign(); sign; sign = this.#comparisonSign()) {
      rest.push({ sign, right: this.#sum() });
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest };
  }

  #comparisonSign(): Comparison | undefined {
    const sign = this.#take('<', '>', '<=', '>=', '==', '!=', 'in', 'not');
    if (sign !== 'not') return sign;
    this.#need('in');
    return 'not in';
  }

  #sum(): Expression {
    let left = this.#product();
    for (let sign = this.#take('+', '-'); sign; sign = this.#take('+', '-')) {
      left = { kind: 'binary', sign, left, right: this.#product() };
    }
    return left;
  }

  #product(): Expression {
    let left = this.#unary();
    for (let sign = this.#take('*', '/', '//', '%'); sign; sign = this.#take('*', '/', '//', '%')) {
      left = { kind: 'binary', sign, left, right: this.#unary() };
    }
    return left;
  }

  #unary(): Expression {
    const sign = this.#take('-', '+');
    if (!sign) return this.#power();
    return this.#nested(() => ({ kind: 'unary', sign, of: this.#unary() }));
  }

  #power(): Expression {
    const left = this.#postfix();
    if (!this.#take('**')) return left;
    return this.#nested(() => ({ kind: 'binary', sign: '**', left, right: this.#unary() }));
  }

  #postfix(): Expression {
    let of = this.#atom();
    for (let sign = this.#take('[', '.'); sign; sign = this.#take('[', '.')) {
      if (sign === '[') {
        const key = this.#expression();
        this.#need(']');
        of = { kind: 'item', of, key };
      } else {
        const name = this.#name(METHODS);
        this.#need('(');
        of = { kind: 'method', of, name, args: this.#until(')') };
      }
    }
    return of;
  }

  #atom(): Expression {
    const word = this.#words[this.#next];
    if (word?.kind === 'number' || word?.kind === 'text') {
      this.#next += 1;
      return { kind: 'value', value: word.value };
    }
    if (this.#take('(')) {
      const inside = this.#expression();
      this.#need(')');
      return inside;
    }
    if (this.#take('[')) return { kind: 'list', items: this.#until(']') };
    if (word?.kind !== 'name') return this.#unexpected('a value');
    if (Object.hasOwn(CONSTANTS, word.value)) {
      this.#next += 1;
      return { kind: 'value', value: CONSTANTS[word.value]! };
    }
    if (this.#take('r')) return { kind: 'r' };
    const name = this.#name(FUNCTIONS);
    this.#need('(');
    return { kind: 'call', name, args: this.#until(')') };
  }

  #until(end: ')' | ']'): Expression[] {
    const items: Expression[] = [];
    while (!this.#take(end)) {
      items.push(this.#expression());
      if (this.#take(end)) break;
      this.#need(',');
    }
    return items;
  }

  #name<T extends string>(known: readonly T[]): T {
    const word = this.#words[this.#next];
    const name = known.find((one) => word?.kind === 'name' && one === word.value);
    if (name === undefined) this.#unexpected(`r or one of ${known.join(', ')}`);
    this.#next += 1;
    return name;
  }

  #take<T extends string>(...signs: T[]): T | undefined {
    const word = this.#words[this.#next];
    if (word?.kind !== 'sign' && word?.kind !== 'name') return undefined;
    const sign = signs.find((one) => one === word.value);
    if (sign !== undefined) this.#next += 1;
    return sign;
  }

  #need(sign: string): void {
    if (!this.#take(sign)) this.#unexpected(sign);
  }

  #nested<T>(read: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > EXPRESSION_LIMITS.maxNesting) this.#unexpected('less nesting');
    const value = read();
    this.#nesting -= 1;
    return value;
  }

  #unexpected(expected: string): never {
    const at = this.#words[this.#next]?.at ?? this.#text.length;
    const place = at < this.#text.length ? `at character ${at + 1}` : 'at its end';
    return refuse(this.#field, this.#text, `${expected} ${place}`);
  }
}
