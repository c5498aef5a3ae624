// A log that cannot be written: real processes, a real pipe that nobody reads, and the device that is always full.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../launch/free-port.ts';
import { guardChild } from '../../launch/guard.ts';
import { ANY_PORT, HERALD_BIN } from '../../launch/herald-process.ts';
import { transpiled } from '../../launch/transpiled.ts';
import { until } from '../../launch/until.ts';

let script: string;
beforeAll(() => {
  script = transpiled(resolve(import.meta.dirname, 'lifecycle-child.ts'));
});

const alive: ChildProcess[] = [];
afterEach(() => {
  for (const child of alive.splice(0)) child.kill('SIGKILL');
});

function start(args: string[], stdout: number | 'pipe', stderr: number | 'pipe'): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, stderr] });
  guardChild(child);
  alive.push(child);
  return child;
}

const residentMb = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;

/** It has a handler for this signal by now. */
function catches({ pid }: ChildProcess, signal: NodeJS.Signals): boolean {
  const caught = BigInt(`0x${/SigCgt:\s+(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]}`);
  return ((caught >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

describe('a daemon whose log disk is full', () => {
  it('serves, and ends with 0 when asked', async () => {
    const full = openSync('/dev/full', 'w');
    const [port] = await freePorts(1);
    const listens = ['control', 'agent', 'admin'].flatMap((name) => [`--${name}-listen`, ANY_PORT]);
    const herald = start(
      [HERALD_BIN, 'serve', '--public-listen', `127.0.0.1:${port}`, ...listens],
      full,
      full,
    );
    const ended = once(herald, 'exit');
    await until('it to live', async () => (await fetch(`http://127.0.0.1:${port}/livez`)).ok);
    herald.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it.each([
    ['config', 'print', 'serve'],
    ['serve', '--print-config'],
  ])('says so where a command cannot print: herald %s %s', async (...args) => {
    const command = start([HERALD_BIN, ...args], openSync('/dev/full', 'w'), 'pipe');
    let said = '';
    command.stderr!.on('data', (bytes: Buffer) => (said += bytes.toString()));
    expect(await once(command, 'close')).toEqual([1, null]);
    expect(said).toMatch(/^herald: cannot print: ENOSPC.*\n$/);
  });
});

/** Above what may wait, and what 20 MB of garbage leaves behind; below those 20 MB kept as text. */
const GROWTH_MB = 30;

describe('a daemon whose log nobody reads', () => {
  it.each(['socket', 'FIFO'])('keeps its size, and ends when asked (%s)', async (kind) => {
    let stderr: number | 'pipe' = 'pipe';
    if (kind === 'FIFO') {
      const path = join(mkdtempSync(join(tmpdir(), 'herald-')), 'log');
      execFileSync('mkfifo', [path]);
      stderr = openSync(path, 'r+');
    }
    const child = start([script, 'talks'], 'pipe', stderr);
    const said = once(child.stdout!, 'data');
    await until('it to listen', () => catches(child, 'SIGUSR2'));
    const beforeMb = residentMb(child);
    child.kill('SIGUSR2');
    await said;
    expect(residentMb(child) - beforeMb).toBeLessThan(GROWTH_MB);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
