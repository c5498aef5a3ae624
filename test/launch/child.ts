// A command as a child process of a test, in a process group of its own, with its output kept. Ending it
// reaches its whole group and nothing else; children still alive when the test process ends go with it.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { guard, unguard } from './guard.ts';
import { until } from './until.ts';

export interface Child {
  pid: number;
  process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the first match in stdout or stderr, also in what was printed before the call. */
  line(pattern: RegExp, deadlineMs?: number): Promise<RegExpMatchArray>;
  /** To the whole group. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves once it has ended, with its exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

const MAX_KEPT_CHARS = 4_000_000;

export function startChild(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Child {
  const child = spawn(command, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => (stdout = (stdout + bytes.toString()).slice(-MAX_KEPT_CHARS)));
  child.stderr.on('data', (bytes: Buffer) => (stderr = (stderr + bytes.toString()).slice(-MAX_KEPT_CHARS)));
  let ended = false;
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('error', (error) => {
      stderr += `${error.message}\n`;
      ended = true;
      resolve(127);
    });
    child.on('exit', (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? 'SIGKILL');
    });
  });

  const self: Child = {
    pid: child.pid ?? 0,
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    line: (pattern, deadlineMs = 15_000) =>
      until(
        `${command} to print ${String(pattern)}; it printed:\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`,
        () => pattern.exec(stdout) ?? pattern.exec(stderr) ?? failIfEnded(),
        deadlineMs,
      ),
    signal(signal) {
      if (self.pid === 0) return;
      try {
        process.kill(-self.pid, signal);
      } catch {
        // The group is already gone.
      }
    },
    async stop(graceMs = 3_000) {
      if (!ended) {
        // A stopped process does not hear SIGTERM until it is continued.
        self.signal('SIGCONT');
        self.signal('SIGTERM');
        const timer = setTimeout(() => self.signal('SIGKILL'), graceMs);
        await exited;
        clearTimeout(timer);
      }
      self.signal('SIGKILL');
      if (self.pid !== 0) unguard(-self.pid);
    },
  };
  const failIfEnded = (): undefined => {
    if (ended) throw new Error(`${command} ended early:\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`);
    return undefined;
  };
  if (self.pid !== 0) {
    guard(-self.pid);
    // What it left running keeps the group's number taken; `stop` ends that too.
    void exited.then(() => groupIsEmpty(self.pid) && unguard(-self.pid));
  }
  return self;
}

function groupIsEmpty(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return false;
  } catch {
    return true;
  }
}
