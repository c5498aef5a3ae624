// Text for terminals: colours that take no room, and lines cut to a width.

// eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
const RESET = '\u001b[0m';

const PAINT = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90, bold: 1 } as const;
export type Color = keyof typeof PAINT;

/** Whether a stream is a terminal that obeys escapes: that of an editor says that it is a dumb one. */
export function takesEscapes(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb';
}

/** Whether a stream shows colours; https://no-color.org is heard. */
export function hasColor(stream: { isTTY?: boolean }): boolean {
  return takesEscapes(stream) && (process.env['NO_COLOR'] ?? '') === '';
}

export function painter(color: boolean): (name: Color, text: string) => string {
  return (name, text) => (color ? `\u001b[${PAINT[name]}m${text}${RESET}` : text);
}

/** Takes two columns: East Asian wide characters and pictures (UAX #11, the ranges that people write in). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Drawn over the one before. */
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;

function columnsOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that the line takes. */
export function visibleLength(line: string): number {
  return Array.from(line.replace(ESCAPES, '')).reduce((sum, character) => sum + columnsOf(character), 0);
}

/** The line cut to `width` columns; its colours end with it. */
export function clipped(line: string, width: number): string {
  if (visibleLength(line) <= width) return line;
  let room = width - 1;
  const fitting = (text: string): string => {
    let taken = '';
    for (const character of text) {
      const columns = columnsOf(character);
      if (columns > room) {
        // Nothing narrower behind it is taken in its place.
        room = 0;
        break;
      }
      room -= columns;
      taken += character;
    }
    return taken;
  };
  let out = '';
  let at = 0;
  for (const { 0: escape, index } of line.matchAll(ESCAPES)) {
    out += fitting(line.slice(at, index)) + escape;
    at = index + escape.length;
  }
  return `${out}${fitting(line.slice(at))}…${line.includes('\u001b') ? RESET : ''}`;
}
