// How a daemon ends, seen from outside: a real child process, real signals.
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANY_PORT, HERALD_BIN } from '../../launch/herald-process.ts';
import { transpiled } from '../../launch/transpiled.ts';

/** Of `never-closes-soon`; what has all the time a daemon may have takes four seconds. */
const SOON_MS = 600;
let script: string;
beforeAll(() => {
  script = transpiled(resolve(import.meta.dirname, 'lifecycle-child.ts'));
});

interface Daemon {
  process: ChildProcess;
  /** Lines of stderr so far. */
  said: string[];
  /** Resolves with the log event once it was said. */
  event(name: string): Promise<Record<string, unknown>>;
  exit: Promise<{ code: number | null; signal: string | null }>;
}

const resolvConf = join(mkdtempSync(join(tmpdir(), 'herald-lifecycle-')), 'resolv.conf');
afterAll(() => rmSync(dirname(resolvConf), { recursive: true }));
const alive: ChildProcess[] = [];
afterEach(() => {
  for (const child of alive.splice(0)) child.kill('SIGKILL');
});

/** `under`: a command that is to become it. */
function daemon(mode: string, withParent = false, under: readonly string[] = []): Daemon {
  const [command, ...args] = [...under, process.execPath, script, mode];
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe', ...(withParent ? ['ipc' as const] : [])],
  });
  alive.push(child);
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const lines = createInterface({ input: child.stderr! }).on('line', (line) => {
    said.push(line);
    for (const check of waiting) check();
  });
  return {
    process: child,
    said,
    // Not the event `close`: it does not come once the parent has disconnected.
    exit: Promise.all([once(child, 'exit'), once(lines, 'close')]).then(([[code, signal]]) => ({
      code,
      signal,
    })),
    event: (name) =>
      new Promise((resolve) => {
        const check = (): void => {
          const line = said.find((one) => one.includes(`"event":"${name}"`));
          if (line === undefined) return;
          waiting.delete(check);
          resolve(JSON.parse(line) as Record<string, unknown>);
        };
        waiting.add(check);
        check();
      }),
  };
}

describe('a daemon', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('closes and ends with 0 on %s', async (signal) => {
    const one = daemon('plain');
    await one.event('started');
    one.process.kill(signal);
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(await one.event('stopping')).toMatchObject({ daemon: 'child', level: 'info', cause: signal });
    expect(one.said.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'started',
      'stopping',
      'closing',
      'stopped',
    ]);
  });

  it('lives until it is told to end, although nothing that it has open keeps a process', async () => {
    const one = daemon('opens-nothing');
    await Promise.race([one.event('still-here'), one.exit]);
    one.process.kill('SIGTERM');
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(one.said.at(-1)).toContain('"stopped"');
  });

  it('ends when the parent that forked it is gone', async () => {
    const one = daemon('plain', true);
    await one.event('started');
    one.process.disconnect();
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(await one.event('stopping')).toMatchObject({ cause: 'parent' });
  });

  it.each([0, 100, 300])('ends when its parent is gone %i ms after it was forked', async (afterMs) => {
    const listens = ['public', 'control', 'agent', 'admin'].flatMap((name) => [`--${name}-listen`, ANY_PORT]);
    const child = fork(HERALD_BIN, ['serve', ...listens], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    alive.push(child);
    setTimeout(() => child.disconnect(), afterMs);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('remembers a signal heard during its start', async () => {
    const one = daemon('slow-start');
    await one.event('starting');
    one.process.kill('SIGTERM');
    one.process.kill('SIGUSR2');
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(one.said.some((line) => line.includes('"closing"'))).toBe(true);
  });

  it('takes the SIGINT of a terminal and the SIGTERM of its parent as one wish', async () => {
    const one = daemon('slow-start');
    await one.event('starting');
    one.process.kill('SIGINT');
    one.process.kill('SIGTERM');
    one.process.kill('SIGUSR2');
    expect(await one.exit).toEqual({ code: 0, signal: null });
    expect(one.said.some((line) => line.includes('"closing"'))).toBe(true);
  });

  it('takes its time to close when a terminal and its shell both say that they go', async () => {
    const one = daemon('never-closes-soon');
    await one.event('started');
    one.process.kill('SIGHUP');
    await one.event('closing');
    one.process.kill('SIGHUP');
    await one.event('close-overdue');
    expect(await one.exit).toEqual({ code: 1, signal: null });
  });

  it('that cannot close ends at once on a second signal', async () => {
    const one = daemon('never-closes');
    await one.event('started');
    one.process.kill('SIGINT');
    await one.event('closing');
    one.process.kill('SIGINT');
    expect(await one.exit).toEqual({ code: 130, signal: null });
  });

  it('that cannot close ends with 1 at its deadline', async () => {
    const one = daemon('never-closes-soon');
    await one.event('started');
    const startMs = performance.now();
    one.process.kill('SIGTERM');
    expect(await one.exit).toEqual({ code: 1, signal: null });
    expect(performance.now() - startMs).toBeGreaterThan(SOON_MS * 0.9);
    expect(await one.event('close-overdue')).toMatchObject({ level: 'error', deadlineMs: SOON_MS });
  });

  it.each([
    ['throws-later', 'uncaught-exception', 'not a function'],
    ['rejects-later', 'unhandled-rejection', 'nobody caught this'],
  ])('with a defect (%s) ends with 70 and says where', async (mode, event, message) => {
    const one = daemon(mode);
    expect(await one.exit).toEqual({ code: 70, signal: null });
    const line = await one.event(event);
    expect(line['error']).toContain(message);
    expect(line['stack']).toContain('lifecycle-child.js');
  });

  // A network and a resolv.conf of its own, which takes root.
  it.runIf(process.getuid?.() === 0)('does not wait for a resolver that is silent', async () => {
    const alone = `ip link set lo up && echo nameserver 127.0.0.1 > ${resolvConf} && mount --bind ${resolvConf} /etc/resolv.conf`;
    const one = daemon('asks-a-silent-resolver', false, [
      'unshare',
      '-mn',
      'sh',
      '-c',
      `${alone} && exec "$@"`,
      'sh',
    ]);
    await one.event('started');
    one.process.kill('SIGTERM');
    const { time } = await one.event('stopped');
    expect(await one.exit).toEqual({ code: null, signal: 'SIGTERM' });
    // The resolver's own deadline is 10 s.
    expect(Date.now() - Date.parse(time as string)).toBeLessThan(2_000);
  });

  it('that cannot start says one line without a stack', async () => {
    const one = daemon('fails');
    expect(await one.exit).toEqual({ code: 1, signal: null });
    expect(one.said).toEqual(['127.0.0.1:1 is in use; choose another with --listen']);
  });
});

describe('a log line', () => {
  it('hides what looks like a secret', async () => {
    const one = daemon('tells-secrets');
    expect(await one.event('configured')).toMatchObject({
      secret: '[hidden]',
      token: '[hidden]',
      port: 7400,
    });
    expect(one.said.join('\n')).not.toContain('hunter2');
  });

  it('lives on, and closes, when its log has no room', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [script, 'plain'], { stdio: ['ignore', full, full, 'ipc'] });
    alive.push(child);
    closeSync(full);
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('says how many lines were lost while nobody read its log', async () => {
    const child = spawn(process.execPath, [script, 'says-much'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    alive.push(child);
    await once(child, 'message');
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr! }).on('line', (line) => said.push(line));
    while (!said.at(-1)?.includes('log-lines-lost')) await once(lines, 'line');
    const { lines: lost } = JSON.parse(said.at(-1)!) as { lines: number };
    const kept = said.filter((line) => line.includes('"event":"much"')).length;
    // 'started' was lost as well.
    expect(kept + lost).toBe(20_001);
    expect(kept).toBeGreaterThan(1_000);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});
