// Starts the real `herald up` as a child process on ports of its own and tells what became of it.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { portsOf } from '../../../src/cli/up/ports.ts';
import type { UpPorts } from '../../../src/cli/up/ports.ts';
import { guardChild } from '../../launch/guard.ts';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { until } from '../../launch/until.ts';

export interface RunningUp {
  ports: UpPorts;
  offset: number;
  child: ChildProcess;
  publicUrl: string;
  controlUrl: string;
  adminUrl: string;
  output(): string;
  /** Pids of the processes it started, by a word of their command line. */
  pidsOf(word: string): number[];
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ctrl-C, and waits for the end. */
  stop(): Promise<void>;
}

export async function startUp(args: string[], env: Record<string, string> = {}): Promise<RunningUp> {
  const offset = await freeOffset();
  const ports = portsOf(offset);
  const child = spawn(process.execPath, [HERALD_BIN, 'up', '--port-offset', String(offset), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  guardChild(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const up: RunningUp = {
    ports,
    offset,
    child,
    publicUrl: `http://127.0.0.1:${ports.public}`,
    controlUrl: `http://127.0.0.1:${ports.control}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    output: () => output,
    pidsOf: (word) => childrenOf(child.pid!).filter((pid) => commandOf(pid).split(' ').includes(word)),
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
  const ready = (): boolean => output.includes('Ctrl-C stops everything') || child.exitCode !== null;
  await until('herald up to be ready', ready, 90_000).catch(async (error: unknown) => {
    await up.stop();
    throw error;
  });
  if (child.exitCode !== null) throw new Error(`herald up ended: ${output}`);
  return up;
}

/** Runs a herald command to its end. */
export function herald(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [HERALD_BIN, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .split(' ')
      .filter((word) => word !== '')
      .map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

export function isAlive(pid: number): boolean {
  // A zombie has no command line any more: it has ended and waits to be collected.
  return commandOf(pid) !== '';
}

async function freeOffset(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const offset = 3_000 + 100 * Math.floor(Math.random() * 200);
    const ports = [0, 1, 2, 3, 10, 11, 12, 20, 21, 30, 31, 40, 41, 50, 51].map(
      (extra) => 7400 + offset + extra,
    );
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return offset;
  }
  throw new Error('found no free range of ports');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** True when something accepts connections there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
