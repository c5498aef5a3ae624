// A Python regular expression as one of JavaScript, matched at the beginning of a text as `re.match` does.
// The two languages agree on nearly everything; what differs is translated, what cannot be is refused.

import { refuse } from '../../../protocol/decode.ts';

export type Matcher = (text: string) => boolean;

const MAX_PATTERN_CHARS = 500;
/** A pattern that backtracks badly must not meet a long text. */
const MATCHED_CHARS = 4_096;

/** Only to be called inside `decoding`. */
export function readPattern(pattern: string, field: string): Matcher {
  if (pattern.length > MAX_PATTERN_CHARS) refuse(field, pattern, `at most ${MAX_PATTERN_CHARS} characters`);
  const leading = /^\(\?([aiLmsux]+)\)/.exec(pattern);
  const letters = leading?.[1] ?? '';
  if (/[xL]/.test(letters)) refuse(field, pattern, 'a pattern without the flags x and L');
  const flags = ['y', ...['i', 'm', 's'].filter((letter) => letters.includes(letter))].join('');
  const source = translated(pattern.slice(leading?.[0].length ?? 0), letters.includes('m'));
  let regexp: RegExp;
  try {
    regexp = new RegExp(source, flags);
  } catch (error) {
    return refuse(field, pattern, `a regular expression (${(error as Error).message})`);
  }
  return (text) => {
    regexp.lastIndex = 0;
    return regexp.test(text.slice(0, MATCHED_CHARS));
  };
}

const AT_END = '(?![\\s\\S])';

function translated(pattern: string, multiline: boolean): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < pattern.length;) {
    const rest = pattern.slice(i);
    const [taken, written] = inClass ? [classPart(rest), classPart(rest)] : part(rest, multiline);
    if (!inClass && /^\[\^?\]?$/.test(taken)) inClass = true;
    else if (inClass && taken === ']') inClass = false;
    out += written;
    i += taken.length;
  }
  return out;
}

function classPart(rest: string): string {
  return rest.startsWith('\\') ? rest.slice(0, 2) : rest[0]!;
}

/** The next piece outside a character class, and what it is in JavaScript. */
function part(rest: string, multiline: boolean): [taken: string, written: string] {
  const comment = /^\(\?#[^)]*\)/.exec(rest)?.[0];
  if (comment !== undefined) return [comment, ''];
  if (rest.startsWith('(?P<')) return ['(?P<', '(?<'];
  // In Python a bracket right after the opening one is a character; in JavaScript [] and [^] are classes.
  const bracket = /^(\[\^?)\]/.exec(rest);
  if (bracket) return [bracket[0], `${bracket[1]!}\\]`];
  const back = /^\(\?P=(\w+)\)/.exec(rest);
  if (back) return [back[0], `\\k<${back[1]!}>`];
  if (rest.startsWith('\\A')) return ['\\A', multiline ? '(?<![\\s\\S])' : '^'];
  if (rest.startsWith('\\Z')) return ['\\Z', AT_END];
  if (rest.startsWith('\\')) return [rest.slice(0, 2), rest.slice(0, 2)];
  // Python's $ also stands before a last newline, and files end with one.
  if (rest.startsWith('$') && !multiline) return ['$', `(?=\\n?${AT_END})`];
  return [rest[0]!, rest[0]!];
}
