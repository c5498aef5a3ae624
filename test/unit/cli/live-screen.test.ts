import { afterEach, describe, expect, it } from 'vitest';
import type { Terminal } from '../../../src/cli/text/live-screen.ts';
import { LiveScreen } from '../../../src/cli/text/live-screen.ts';

/** Escape sequences, line ends, single characters. */
// eslint-disable-next-line no-control-regex -- escape sequences are what a terminal reads
const TOKENS = new RegExp('\u001b\\[[0-9;?]*[A-Za-z]|[^]', 'gu');

/** A terminal that keeps its rows and moves its cursor as real ones do, as far as the screen uses it. */
class PlayedTerminal {
  columns: number;
  rows: number;
  written = '';
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;
  #onResize: (() => void) | undefined;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.written += text;
    for (const [token] of text.matchAll(TOKENS)) this.#take(token);
    return true;
  }

  #take(token: string): void {
    const up = /^.\[(\d+)A$/.exec(token);
    if (up) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (token === '\u001b[J') {
      this.#line = this.#line.slice(0, this.#column);
      this.#lines.splice(this.#row + 1);
    } else if (token === '\u001b[K') this.#line = this.#line.slice(0, this.#column);
    else if (token === '\u001b[H') this.#row = this.#column = 0;
    else if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#newLine();
    else if (!token.startsWith('\u001b')) this.#put(token);
  }

  #put(character: string): void {
    if (this.#column === this.columns) this.#newLine();
    this.#line =
      this.#line.slice(0, this.#column).padEnd(this.#column) + character + this.#line.slice(this.#column + 1);
    this.#column += 1;
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.#lines[this.#row] ??= '';
  }

  get #line(): string {
    return this.#lines[this.#row] ?? '';
  }
  set #line(text: string) {
    this.#lines[this.#row] = text;
  }

  /** Narrower: what was drawn wraps, as in most terminals. */
  resize(columns: number): void {
    this.columns = columns;
    const wrapped = this.#lines.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
    this.#lines.splice(0, Infinity, ...wrapped);
    this.#row = this.#lines.length - 1;
    this.#onResize?.();
  }

  on(_event: string, listener: () => void): this {
    this.#onResize = listener;
    return this;
  }
  off(): this {
    this.#onResize = undefined;
    return this;
  }

  seen(): string[] {
    return this.#lines.map((line) => line.trimEnd()).filter((line) => line !== '');
  }
}

let screen: LiveScreen | undefined;
afterEach(() => screen?.close());

function onTerminal(columns: number, rows: number, page = false): PlayedTerminal {
  const terminal = new PlayedTerminal(columns, rows);
  terminal.write('what stood before\n');
  screen = new LiveScreen(terminal as unknown as Terminal, page);
  return terminal;
}

describe('a block redrawn in place', () => {
  it('replaces itself and leaves what stood above', () => {
    const terminal = onTerminal(40, 20);
    screen!.draw(() => 'one\ntwo\nthree');
    screen!.draw(() => 'four');
    expect(terminal.seen()).toEqual(['what stood before', 'four']);
  });

  it('cuts lines at the right edge, so that the next draw finds its start', () => {
    const terminal = onTerminal(24, 20);
    screen!.draw(() => 'x'.repeat(60));
    screen!.draw(() => 'y'.repeat(60));
    expect(terminal.seen()).toEqual(['what stood before', `${'y'.repeat(23)}…`]);
  });

  it('cuts what is taller than the terminal', () => {
    const terminal = onTerminal(40, 4);
    screen!.draw(() => 'a\nb\nc\nd\ne');
    expect(terminal.seen()).toEqual(['what stood before', 'a', 'b', 'c']);
  });

  it('keeps a line that is said above it, and itself below', () => {
    const terminal = onTerminal(40, 20);
    screen!.draw(() => 'table');
    screen!.print('gateway-2 ended: SIGKILL');
    screen!.draw(() => 'table again');
    expect(terminal.seen()).toEqual(['what stood before', 'gateway-2 ended: SIGKILL', 'table again']);
  });

  it('is drawn anew, once, when the terminal becomes narrower', () => {
    const terminal = onTerminal(80, 20);
    screen!.draw(() => `${'a'.repeat(70)}\n${'b'.repeat(70)}`);
    terminal.resize(30);
    screen!.draw(() => 'c\nd');
    expect(terminal.seen()).toEqual(['what stood before', 'c', 'd']);
  });

  it('gives the cursor back at the end, once', () => {
    const terminal = onTerminal(40, 20);
    screen!.close();
    screen!.close();
    expect(terminal.written.endsWith('\u001b[?25h')).toBe(true);
    expect(terminal.written.split('\u001b[?25h')).toHaveLength(2);
  });

  it('as a page takes the whole terminal and gives it back as it was', () => {
    const terminal = onTerminal(40, 20, true);
    screen!.draw(() => 'top');
    screen!.close();
    expect(terminal.written).toContain('\u001b[?1049h');
    expect(terminal.written.endsWith('\u001b[?1049l')).toBe(true);
  });
});
