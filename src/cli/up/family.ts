// The child processes of `herald up`: started in order, watched, started again when they die, ended together.
// Their IPC channel is also their lifeline: when this process dies, however it dies, they see the channel
// close and end themselves.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { StartError } from '../../daemon/lifecycle.ts';
import { messageOf } from '../../daemon/thrown.ts';
import type { ChildSays, ParentSays } from '../parent.ts';
import { troubleOf } from './trouble.ts';

/** Generous: on a busy small machine seven processes start at once. */
const START_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 4_500;
/** The wait before a restart doubles each time while a child keeps dying, up to so many times the first. */
const LONGEST_WAIT = 8;
const STABLE_AFTER_MS = 60_000;

export interface Child {
  name: string;
  addresses: Record<string, string>;
  /** To the process that runs now; lost while there is none. */
  say(message: ParentSays): void;
}

export interface FamilyEvents {
  /** A warning or error a child logged, as one line. */
  onTrouble(line: string): void;
  /** A child ended without being asked to, and is started again then; undefined = it is not. */
  onDeath(name: string, cause: string, againInMs: number | undefined): void;
  onReturn(name: string): void;
}

interface Recipe {
  name: string;
  args: string[];
  env: Record<string, string>;
}

export class Family {
  readonly #events: FamilyEvents;
  /** Undefined: what died stays dead. */
  readonly #restartAfterMs: number | undefined;
  readonly #children = new Map<string, ChildProcess>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #ending = false;

  constructor(events: FamilyEvents, restartAfterMs: number | undefined) {
    this.#events = events;
    this.#restartAfterMs = restartAfterMs;
  }

  /** Starts `herald <args>` as a process of its own and waits until it is ready. */
  async start(name: string, args: string[], env: Record<string, string>): Promise<Child> {
    const addresses = await this.#launch({ name, args, env }, this.#restartAfterMs);
    return {
      name,
      addresses,
      say: (message) => {
        const child = this.#children.get(name);
        if (child?.connected) child.send(message);
      },
    };
  }

  /** Asks all to end and kills what has not ended by the deadline. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    const all = [...this.#children.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ended = all.map((child) => new Promise<void>((resolve) => child.once('exit', () => resolve())));
    for (const child of all) child.kill('SIGTERM');
    const overdue = setTimeout(() => this.kill(), END_DEADLINE_MS);
    await Promise.all(ended);
    clearTimeout(overdue);
  }

  kill(): void {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  async #launch(recipe: Recipe, againInMs: number | undefined): Promise<Record<string, string>> {
    const { name, args, env } = recipe;
    if (this.#ending) throw new StartError('stopping');
    const startedMs = performance.now();
    const child = fork(process.argv[1]!, args, {
      // stdout stays closed: a child has nothing to print, and ours belongs to the table.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    const started = ready(name, child);
    if (child.pid !== undefined) {
      this.#children.set(name, child);
      createInterface({ input: child.stderr! }).on('line', (line) => {
        const trouble = troubleOf(line);
        // While all end, each is missed by the others.
        if (trouble !== undefined && !this.#ending) this.#events.onTrouble(`${name}: ${trouble}`);
      });
    }
    const addresses = await started;
    child.on('exit', (code, signal) => {
      this.#children.delete(name);
      if (this.#ending) return;
      const stable = performance.now() - startedMs > STABLE_AFTER_MS;
      this.#died(recipe, causeOf(code, signal), stable ? this.#restartAfterMs : againInMs);
    });
    return addresses;
  }

  #died(recipe: Recipe, cause: string, againInMs: number | undefined): void {
    this.#events.onDeath(recipe.name, cause, againInMs);
    if (againInMs === undefined) return;
    const next = Math.min(LONGEST_WAIT * this.#restartAfterMs!, 2 * againInMs);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#launch(recipe, next).then(
        () => this.#events.onReturn(recipe.name),
        (error: unknown) => {
          if (!this.#ending) this.#died(recipe, messageOf(error), next);
        },
      );
    }, againInMs);
    this.#restarts.add(timer);
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
      reject(new StartError(`${name} ended before it was ready (${causeOf(code, signal)})`));
    });
    // No process to be had (EAGAIN, EMFILE), or later one that is gone before it was told something.
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new StartError(`${name} cannot be started (${error.message})`));
    });
    child.on('message', (message: ChildSays) => {
      clearTimeout(timer);
      if (message.says === 'ready') resolve(message.addresses);
      else reject(new StartError(`${name}: ${inOurWords(message.message)}`.split('\n')));
    });
  });
}

function causeOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit code ${code ?? 0}`;
}

/** A daemon names its own flag; here one flag moves all ports. */
function inOurWords(message: string): string {
  return message.replace(/choose another with --.*$/, 'move all ports with --port-offset 100');
}
