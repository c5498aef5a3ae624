// A block of text redrawn in place on a terminal. Lines are cleared one by one and never the whole screen,
// so nothing flickers and what stood above stays. Lines are cut at the right edge: a line that wraps would
// take two rows, and the next draw would start too low.

import type { WriteStream } from 'node:tty';
import { clipped, visibleLength } from './terminal-text.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_END_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const ENTER_PAGE = '\u001b[?1049h\u001b[H';
const LEAVE_PAGE = '\u001b[?1049l';

/** What of a terminal is used, so that tests can play one. */
export type Terminal = Pick<WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off'>;

export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #page: boolean;
  readonly #onResize: () => void;
  #drawn: readonly string[] = [];
  #redraw: (() => void) | undefined;
  #open = true;

  /** With `page` it has the terminal for itself, as `top` has, and gives it back as it was. */
  constructor(terminal: Terminal, page = false) {
    this.#terminal = terminal;
    this.#page = page;
    this.#onResize = () => this.#redraw?.();
    terminal.on('resize', this.#onResize);
    terminal.write(`${page ? ENTER_PAGE : ''}${HIDE_CURSOR}`);
    // However the process ends, the shell gets its cursor back.
    process.once('exit', () => this.close());
  }

  get columns(): number {
    return Math.max(20, this.#terminal.columns);
  }

  /** Rows a block can have; taller text is cut. */
  get rows(): number {
    return Math.max(1, this.#terminal.rows - 1);
  }

  /** Replaces what was drawn before; `make` is asked again when the size of the terminal changes. */
  draw(make: () => string): void {
    this.#redraw = () => {
      if (!this.#open) return;
      const lines = make()
        .split('\n')
        .slice(0, this.rows)
        .map((line) => clipped(line, this.columns));
      const body = lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('');
      this.#terminal.write(`${this.#toTop()}${body}${CLEAR_BELOW}`);
      this.#drawn = lines;
    };
    this.#redraw();
  }

  /** Lets the next line appear above the block, which moves down. */
  print(line: string): void {
    this.#terminal.write(`${this.#toTop()}${CLEAR_BELOW}${line}\n`);
    this.#drawn = [];
    this.#redraw?.();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.off('resize', this.#onResize);
    this.#terminal.write(`${SHOW_CURSOR}${this.#page ? LEAVE_PAGE : ''}`);
  }

  /** To the first row of the block. A terminal that became narrower has wrapped the lines drawn so far. */
  #toTop(): string {
    if (this.#page) return '\u001b[H';
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(visibleLength(line) / this.columns)),
      0,
    );
    return rows > 0 ? `\u001b[${rows}A\r` : '\r';
  }
}
