// A block of text redrawn in place on a terminal. Lines are cleared one by one and never the whole screen,
// so nothing flickers and what stood above stays.

import type { WriteStream } from 'node:tty';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export class LiveScreen {
  readonly #terminal: WriteStream;
  #drawnLines = 0;

  constructor(terminal: WriteStream) {
    this.#terminal = terminal;
    terminal.write(HIDE_CURSOR);
  }

  /** Replaces what was drawn before. Text taller than the terminal is cut, so that the next draw can find it. */
  draw(text: string): void {
    const lines = text.split('\n').slice(0, Math.max(1, this.#terminal.rows - 1));
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : '';
    const body = lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('');
    this.#terminal.write(`${up}\r${body}${CLEAR_BELOW}`);
    this.#drawnLines = lines.length;
  }

  /** Lets the next line appear above the block: prints it and starts a fresh block below. */
  print(line: string): void {
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : '';
    this.#terminal.write(`${up}\r${CLEAR_BELOW}${line}\n`);
    this.#drawnLines = 0;
  }

  close(): void {
    this.#terminal.write(SHOW_CURSOR);
  }
}
