// Text for terminals: colours that take no room, and lines cut to a width.

// eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
const RESET = '\u001b[0m';

export const PAINT = { red: 31, green: 32, yellow: 33, cyan: 36, grey: 90, bold: 1 } as const;
export type Color = keyof typeof PAINT;

/** Whether a stream shows colours; https://no-color.org is heard. */
export function hasColor(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}

export function painter(color: boolean): (name: Color, text: string) => string {
  return (name, text) => (color ? `\u001b[${PAINT[name]}m${text}${RESET}` : text);
}

export function visibleLength(line: string): number {
  return line.replace(ESCAPES, '').length;
}

/** The line cut after `width` visible characters; its colours end with it. */
export function clipped(line: string, width: number): string {
  if (visibleLength(line) <= width) return line;
  let room = width - 1;
  let out = '';
  let at = 0;
  for (const { 0: escape, index } of line.matchAll(ESCAPES)) {
    const text = line.slice(at, index);
    out += text.slice(0, room) + escape;
    room = Math.max(0, room - text.length);
    at = index + escape.length;
  }
  return `${out}${line.slice(at).slice(0, room)}…${line.includes('\u001b') ? RESET : ''}`;
}
