// One `herald` daemon of the built program as a process of its own, to be killed, frozen and started again.
// Should the test process be killed, the daemon goes with it, also a frozen one (guard.ts).

import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { ChildSays } from '../../src/cli/parent.ts';
import { guardChild } from './guard.ts';

/** The built command; another build can be put to the test with HERALD_BIN. */
export const HERALD_BIN = process.env['HERALD_BIN'] ?? join(process.cwd(), 'dist/cli/main.js');
export const ANY_PORT = '127.0.0.1:0';
/** Flags of `serve`. */
export const HERALD_ON_ANY_PORTS = {
  'public-listen': ANY_PORT,
  'control-listen': ANY_PORT,
  'agent-listen': ANY_PORT,
  'admin-listen': ANY_PORT,
};
const START_DEADLINE_MS = 45_000;
const STOP_DEADLINE_MS = 10_000;

export interface HeraldProcess {
  pid: number;
  addresses: Record<string, string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves once it has ended. */
  exited: Promise<void>;
  alive(): boolean;
  /** Its last output. */
  output(): string;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, which drains; SIGKILL when it takes too long. */
  stop(): Promise<void>;
}

/** What listens at the default port of Heralds is somebody's own: nobody here speaks to it unasked. */
const SPEAKS_TO_HERALDS = new Set(['gateway', 'broker']);

/**
 * Resolves when the daemon says that it is ready. Flags by their names without dashes; `openFiles`: how many descriptors
 * it may have.
 */
export async function startHeraldProcess(
  command: string,
  flags: Record<string, string | number>,
  env: Record<string, string> = {},
  openFiles?: number,
): Promise<HeraldProcess> {
  const given: Record<string, string | number> = {
    ...(SPEAKS_TO_HERALDS.has(command) && { heralds: '' }),
    ...flags,
  };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = fork(HERALD_BIN, [command, ...args, '--log-level', 'info'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    ...(openFiles !== undefined && {
      execPath: 'prlimit',
      execArgv: [`--nofile=${openFiles}:${openFiles}`, process.execPath],
    }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-40_000)));
  }
  let ended = false;
  guardChild(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  const addresses = await new Promise<Record<string, string>>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`herald ${command} was not ready in ${START_DEADLINE_MS} ms:\n${output}`));
    }, START_DEADLINE_MS);
    child.on('message', (message: ChildSays) => {
      if (message.says !== 'ready') return;
      clearTimeout(timer);
      resolve(message.addresses);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new Error(`herald ${command} ended at its start:\n${output}`));
    });
  });
  return {
    pid: child.pid!,
    addresses,
    signal: (signal) => void child.kill(signal),
    exited,
    alive: () => !ended,
    output: () => output,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      if (ended) return;
      // A stopped process does not hear SIGTERM until it is continued.
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
