// A part of the fan-out benchmark as a process of its own, bound to one core where `taskset` is there: it
// answers one line of JSON for each line it is sent.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const CAN_PIN = spawnSync('taskset', ['-V']).status === 0;

export class Role {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: unknown) => void)[] = [];
  readonly #early: unknown[] = [];

  /** `script` is relative to bench/, without its ending. */
  constructor(script: string, core: number, argument: unknown) {
    const path = join(import.meta.dirname, `../${script}.js`);
    const command = [process.execPath, '--expose-gc', path, JSON.stringify(argument ?? null)];
    const [file, ...args] = CAN_PIN ? ['taskset', '-c', String(core), ...command] : command;
    this.#child = spawn(file!, args);
    this.#child.stderr.pipe(process.stderr);
    this.#child.on('exit', (code) => {
      if (code !== null && code !== 0) throw new Error(`${script} ended with ${code}`);
    });
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line: unknown = JSON.parse(text);
      const next = this.#waiting.shift();
      if (next) next(line);
      else this.#early.push(line);
    });
  }

  next<T>(): Promise<T> {
    if (this.#early.length > 0) return Promise.resolve(this.#early.shift() as T);
    return new Promise((resolve) => this.#waiting.push(resolve as (line: unknown) => void));
  }

  ask<T>(question: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.next<T>();
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
