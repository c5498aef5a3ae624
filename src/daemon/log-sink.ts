// The way of log lines to stderr. Nobody waits for it: a full disk, or a reader that stopped reading, costs lines and
// nothing else. Lines wait in a bounded queue; those that do not fit are counted, and the count is logged once there
// is room again. Pino's own destination is not used: it retries its last lines for ever on a thread that a full pipe
// blocks, and then the process cannot end.

import { fstatSync, write, writeSync } from 'node:fs';

/** About 5,000 lines: an hour of an unquiet fleet. */
const MAX_WAITING_CHARS = 1_048_576;
const RETRY_MS = 1_000;

export interface Stderr {
  /** Takes some of `bytes`, from the first on, and says how many. */
  put(bytes: Buffer, done: (error: Error | null | undefined, written: number) => void): void;
  /** At the end of the process: what it cannot take at once is lost. May throw. */
  putNow(bytes: Buffer): void;
}

export class LogSink {
  readonly #stderr: Stderr;
  readonly #onRoom: (droppedLines: number) => void;
  #lines: string[] = [];
  #chars = 0;
  /** Taken from the lines and not written yet. */
  #rest: Buffer = Buffer.alloc(0);
  #state: 'idle' | 'writing' | 'refused' = 'idle';
  #dropped = 0;

  /** `onRoom` is told how many lines were dropped, once lines can be written again. */
  constructor(stderr: Stderr, onRoom: (droppedLines: number) => void) {
    this.#stderr = stderr;
    this.#onRoom = onRoom;
  }

  write(line: string): void {
    if (this.#chars + line.length > MAX_WAITING_CHARS) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#state === 'idle') this.#next();
  }

  /** Writes what waits, at the end of the process. */
  flush(): void {
    const rest = this.#state === 'writing' ? Buffer.alloc(0) : this.#rest;
    try {
      this.#stderr.putNow(Buffer.concat([rest, Buffer.from(this.#lines.join(''))]));
    } catch {
      // Nobody is left to tell.
    }
  }

  #next(): void {
    this.#state = 'writing';
    if (this.#rest.length === 0) this.#take();
    if (this.#rest.length === 0) {
      this.#state = 'idle';
      return;
    }
    this.#stderr.put(this.#rest, (error, written) => {
      if (error) {
        this.#state = 'refused';
        setTimeout(() => this.#next(), RETRY_MS).unref();
        return;
      }
      this.#rest = this.#rest.subarray(written);
      this.#next();
    });
  }

  /** Takes all waiting lines, once those before them are written. */
  #take(): void {
    this.#rest = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#chars = 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#onRoom(dropped);
  }
}

const FD = 2;

/**
 * A write to a pipe that nobody reads would hold a thread of Node's pool, and the exit of the process with it: pipes
 * and sockets go through the event loop. A file goes through the pool, where a slow disk stops nobody.
 */
export function openStderr(): Stderr {
  const kind = fstatSync(FD);
  if (kind.isFIFO() || kind.isSocket()) {
    // Told to `done`; an 'error' nobody hears would end the process.
    process.stderr.on('error', () => {});
    return {
      put: (bytes, done) => process.stderr.write(bytes, (error) => done(error, bytes.length)),
      putNow: (bytes) => process.stderr.write(bytes),
    };
  }
  return {
    put: (bytes, done) => write(FD, bytes, done),
    putNow: (bytes) => writeSync(FD, bytes),
  };
}
