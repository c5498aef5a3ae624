// The text of one value inside a JSON text, found without making anything of it: a number keeps its digits and a
// string its escapes, as their author wrote them.

export interface RawField {
  text: string;
  /** Levels of arrays and objects in it; 0 for a bare value. */
  depth: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/**
 * Field `name` of the object that `json` is; of equal names the last counts, as in JSON.parse. Undefined when there is
 * none. Only for what JSON.parse took as an object: nothing is checked again.
 */
export function rawField(json: string, name: string): RawField | undefined {
  let found: RawField | undefined;
  let key: string | undefined;
  let valueAt = 0;
  let deepest = 1;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(json, at);
      if (depth === 1) key ??= JSON.parse(json.slice(at, end + 1)) as string;
      at = end;
    } else if (char === OPENING_BRACE || char === OPENING_BRACKET) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (char === COLON && depth === 1) {
      valueAt = at + 1;
      deepest = 1;
    } else if (char === CLOSING_BRACE || char === CLOSING_BRACKET || char === COMMA) {
      if (depth === 1) {
        if (key === name) found = { text: json.slice(valueAt, at).trim(), depth: deepest - 1 };
        key = undefined;
      }
      if (char !== COMMA) depth -= 1;
    }
  }
  return found;
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  for (; at < json.length && json.charCodeAt(at) !== QUOTE; at++) {
    if (json.charCodeAt(at) === BACKSLASH) at += 1;
  }
  return at;
}
