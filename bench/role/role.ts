// A part of a benchmark as a process of its own, where asked bound to one core if `taskset` is there. Parts of ours
// answer one line of JSON for each line they are sent. What a process costs is read from the kernel's
// accounts, so that servers in Node, C and Go are measured with one yardstick.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
export const CAN_PIN = spawnSync('taskset', ['-V']).status === 0;
/**
 * With `--ahead` all parts go before whatever else the machine does (root only): latency of a process that waits
 * for a core says nothing of the process. Not by real-time priority: there a collector's helper threads keep the
 * loop they help waiting for a tenth of a second.
 */
export const AHEAD = process.argv.includes('--ahead');
/** Niceness then, what makes a message before the clients that read the last one. */
export const NICENESS = { server: -15, clients: -15, broker: -20, publisher: -20 } as const;
/** Linux weighs sessions against each other, whatever the niceness in them: the weight of ours (sched(7)). */
const SESSION_WEIGHT = '/proc/self/autogroup';
if (AHEAD && existsSync(SESSION_WEIGHT)) {
  writeFileSync(SESSION_WEIGHT, '-20');
  process.on('exit', () => writeFileSync(SESSION_WEIGHT, '0'));
}
/** The unit of /proc/<pid>/stat: USER_HZ, 100 on every Linux that Node supports. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

const running = new Set<ChildProcessWithoutNullStreams>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Role {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((line: unknown) => void)[] = [];
  readonly #early: unknown[] = [];
  #ending = false;
  readonly #ended: Promise<void>;

  /** `core` undefined = any. */
  constructor(command: readonly string[], core: number | undefined, niceness: number, name = command[0]!) {
    const pinned = core !== undefined && CAN_PIN ? ['taskset', '-c', String(core), ...command] : command;
    const [file, ...args] = AHEAD ? ['nice', '-n', String(niceness), ...pinned] : pinned;
    this.#child = spawn(file!, args);
    running.add(this.#child);
    this.#child.stderr.pipe(process.stderr);
    this.#ended = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        running.delete(this.#child);
        if (!this.#ending) throw new Error(`${name} ended with ${code ?? signal}`);
        resolve();
      });
    });
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line: unknown = JSON.parse(text);
      const next = this.#waiting.shift();
      if (next) next(line);
      else this.#early.push(line);
    });
  }

  /** A script of bench/ without its ending. */
  static node(script: string, core: number | undefined, niceness: number, argument: unknown): Role {
    const path = join(import.meta.dirname, `../${script}.js`);
    const nodeFlags = (process.env['FANOUT_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
    const command = [process.execPath, '--expose-gc', ...nodeFlags, path, JSON.stringify(argument ?? null)];
    return new Role(command, core, niceness, script);
  }

  next<T>(): Promise<T> {
    if (this.#early.length > 0) return Promise.resolve(this.#early.shift() as T);
    return new Promise((resolve) => this.#waiting.push(resolve as (line: unknown) => void));
  }

  ask<T>(question: unknown): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return this.next<T>();
  }

  /** User and system time of all its threads and of its children. */
  cpuMs(): number {
    return this.#pids().reduce((sum, pid) => {
      const fields = statFields(pid);
      return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    }, 0);
  }

  rssBytes(): number {
    return this.#pids().reduce((sum, pid) => sum + Number(statFields(pid)[21]) * PAGE_BYTES, 0);
  }

  #pids(): number[] {
    const pid = this.#child.pid!;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').map(Number))];
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#ending = true;
    this.#child.kill(signal);
    return this.#ended;
  }
}

/** What follows the name in parentheses, which may hold anything: see proc(5). */
function statFields(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
