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

/** Levels of nesting that a publication may have: readers in other languages stop at some, most of them above this. */
export const MAX_DEPTH = 1_000;

/**
 * Field `name` of the object that `json` is; of equal names the last counts, as in JSON.parse. Undefined when there is
 * none. Only for what JSON.parse took as an object: nothing is checked again.
 */
export function rawField(json: string, name: string): RawField | undefined {
  let found: RawField | undefined;
  eachMember(json, (key, text, depth) => {
    if (key === name) found = { text, depth };
  });
  return found;
}

/** The items of the array that `json` is. Only for what JSON.parse took as an array. */
export function rawItems(json: string): string[] {
  const items: string[] = [];
  eachMember(json, (_key, text) => items.push(text));
  return items;
}

/** Calls `take` for each field or item of `json`, in their order; `key` is undefined in an array. */
function eachMember(
  json: string,
  take: (key: string | undefined, text: string, depth: number) => void,
): void {
  let key: string | undefined;
  let valueAt = 0;
  let deepest = 1;
  let depth = 0;
  let inObject = false;
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(json, at);
      if (depth === 1 && inObject) key ??= json.slice(at, end + 1);
      at = end;
    } else if (char === OPENING_BRACE || char === OPENING_BRACKET) {
      if (depth === 0) {
        valueAt = at + 1;
        inObject = char === OPENING_BRACE;
      }
      depth += 1;
      deepest = Math.max(deepest, depth);
    } else if (char === COLON && depth === 1) {
      valueAt = at + 1;
    } else if (char === CLOSING_BRACE || char === CLOSING_BRACKET || char === COMMA) {
      if (depth === 1) {
        const text = json.slice(valueAt, at).trim();
        if (text !== '') take(inObject ? (JSON.parse(key!) as string) : undefined, text, deepest - 1);
        key = undefined;
        valueAt = at + 1;
        deepest = 1;
      }
      if (char !== COMMA) depth -= 1;
    }
  }
}

function endOfString(json: string, start: number): number {
  let at = start + 1;
  for (; at < json.length && json.charCodeAt(at) !== QUOTE; at++) {
    if (json.charCodeAt(at) === BACKSLASH) at += 1;
  }
  return at;
}
