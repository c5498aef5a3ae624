// The child processes of `herald up`: started in order, watched, ended together. Their IPC channel is also
// their lifeline: when this process dies, however it dies, they see the channel close and end themselves.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { StartError } from '../../daemon/lifecycle.ts';
import type { ChildSays, ParentSays } from '../parent.ts';

/** Generous: on a busy small machine seven processes start at once. */
const START_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 4_500;

export interface Child {
  name: string;
  pid: number;
  addresses: Record<string, string>;
  say(message: ParentSays): void;
}

export interface FamilyEvents {
  /** A warning or error a child logged, as one line. */
  onTrouble(line: string): void;
  /** A child that ended without being asked to. */
  onDeath(name: string, cause: string): void;
}

export class Family {
  readonly #events: FamilyEvents;
  readonly #children = new Map<string, ChildProcess>();
  #ending = false;

  constructor(events: FamilyEvents) {
    this.#events = events;
  }

  /** Starts `herald <args>` as a process of its own and waits until it is ready. */
  async start(name: string, args: string[], env: Record<string, string>): Promise<Child> {
    const process_ = fork(process.argv[1]!, args, {
      // stdout stays closed: a child has nothing to print, and ours belongs to the table.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    this.#children.set(name, process_);
    createInterface({ input: process_.stderr! }).on('line', (line) => {
      const trouble = troubleOf(line);
      if (trouble !== undefined) this.#events.onTrouble(`${name}: ${trouble}`);
    });
    const addresses = await ready(name, process_);
    process_.on('exit', (code, signal) => {
      this.#children.delete(name);
      if (!this.#ending) this.#events.onDeath(name, signal ?? `exit code ${code ?? 0}`);
    });
    return {
      name,
      pid: process_.pid!,
      addresses,
      say: (message) => {
        if (process_.connected) process_.send(message);
      },
    };
  }

  /** Asks all to end, clients first, and kills what has not ended by the deadline. */
  async end(): Promise<void> {
    this.#ending = true;
    const all = [...this.#children.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ended = all.map((child) => new Promise<void>((resolve) => child.once('exit', () => resolve())));
    for (const child of all) child.kill('SIGTERM');
    const overdue = setTimeout(() => {
      for (const child of all) child.kill('SIGKILL');
    }, END_DEADLINE_MS);
    await Promise.all(ended);
    clearTimeout(overdue);
  }
}

function ready(name: string, child: ChildProcess): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new StartError(`${name} was not ready within ${START_DEADLINE_MS / 1_000} s`));
    }, START_DEADLINE_MS);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new StartError(`${name} ended before it was ready (${signal ?? `exit code ${code ?? 0}`})`));
    });
    child.on('message', (message: ChildSays) => {
      clearTimeout(timer);
      if (message.says === 'ready') resolve(message.addresses);
      else reject(new StartError(`${name}: ${inOurWords(message.message)}`));
    });
  });
}

/** A daemon names its own flag; here one flag moves all ports. */
function inOurWords(message: string): string {
  return message.replace(/choose another with --[a-z-]+/, 'move all ports with --port-offset 100');
}

const NOT_FOR_READERS = new Set(['level', 'event', 'daemon', 'time', 'stack']);

/** Warnings and errors of a child's log as one readable line; everything else stays in the child. */
function troubleOf(line: string): string | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    const { level, event } = entry;
    if (level !== 'warn' && level !== 'error' && level !== 'fatal') return undefined;
    const details = Object.entries(entry)
      .filter(([key]) => !NOT_FOR_READERS.has(key))
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    return `${String(event)} ${details.join(' ')}`;
  } catch {
    // A start that failed says so over IPC as well, in words that fit here.
    return line.startsWith('herald: ') ? undefined : line;
  }
}
