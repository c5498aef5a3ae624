// Cuts a metric expression into words. One bad character refuses the whole text, with its place.

import { refuse } from '../../../protocol/decode.ts';

export type Word =
  | { kind: 'number'; value: number; at: number }
  | { kind: 'text'; value: string; at: number }
  | { kind: 'name'; value: string; at: number }
  | { kind: 'sign'; value: string; at: number };

const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SIGN = /\*\*|\/\/|[<>=!]=|[-+*/%<>()[\],.]/y;
const TEXT = /[uU]?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")/y;
const SPACE = /[ \t\r\n]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** Only to be called inside `decoding`. */
export function wordsOf(text: string, field: string): Word[] {
  const words: Word[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (take(SPACE); at < text.length; take(SPACE)) {
    const from = at;
    let found: RegExpExecArray | null;
    if ((found = take(TEXT))) {
      const inside = found[1] ?? found[2] ?? '';
      words.push({ kind: 'text', value: inside.replace(/\\(.)/gs, unescaped), at: from });
    } else if ((found = take(NUMBER))) {
      const value = Number(found[0]);
      if (!Number.isFinite(value)) refuse(field, found[0], 'a finite number');
      words.push({ kind: 'number', value, at: from });
    } else if ((found = take(NAME))) {
      words.push({ kind: 'name', value: found[0], at: from });
    } else if ((found = take(SIGN))) {
      words.push({ kind: 'sign', value: found[0], at: from });
    } else {
      refuse(
        field,
        text.slice(from, from + 20),
        `an expression; character ${from + 1} begins no word of one`,
      );
    }
  }
  return words;
}

function unescaped(whole: string, char: string): string {
  return ESCAPES[char] ?? whole;
}
