// A real HAProxy (Debian's 2.6) in a folder of its own with its runtime socket. Ready when that socket
// answers; a configuration that HAProxy refuses is thrown with HAProxy's own words.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { startChild } from './child.ts';
import { commandPath } from './require-server.ts';
import { until } from './until.ts';

export interface HaproxyServerState {
  backend: string;
  server: string;
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, as the stats page shows it. */
  status: string;
  weight: number;
  /** Sessions ever sent to it. */
  sessions: number;
  /** Last words of the agent, e.g. `L7OK`. */
  agentStatus: string;
}

export interface Haproxy {
  pid: number;
  child: Child;
  /** One command of the runtime API (`show stat`, `show servers state`). */
  ask(command: string): Promise<string>;
  servers(backend?: string): Promise<HaproxyServerState[]>;
  stop(): Promise<void>;
}

/** `config` holds everything from `defaults` on; the `global` section is written here. */
export async function launchHaproxy(config: string): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  const socket = join(folder, 'admin.sock');
  writeFileSync(file, `global\n  stats socket ${socket} mode 600 level admin\n  nbthread 1\n\n${config}\n`);
  const child = startChild(commandPath('haproxy') ?? 'haproxy', ['-W', '-db', '-f', file]);
  const ask = (command: string): Promise<string> => askSocket(socket, command);
  await until(
    'HAProxy',
    async () => {
      if (child.process.exitCode !== null) return true;
      return (await ask('show info')).includes('Pid:');
    },
    10_000,
  );
  if (child.process.exitCode !== null) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`HAProxy refused its configuration:\n${child.stderr()}`);
  }
  return {
    pid: child.pid,
    child,
    ask,
    servers: async (backend) =>
      parseStat(await ask('show stat')).filter((one) => backend === undefined || one.backend === backend),
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** True with `''`, or HAProxy's complaints, for a whole configuration file. */
export async function checkHaproxyConfig(config: string): Promise<{ ok: boolean; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, config);
  const child = startChild(commandPath('haproxy') ?? 'haproxy', ['-c', '-f', file]);
  const code = await child.exited;
  rmSync(folder, { recursive: true, force: true });
  return { ok: code === 0, output: child.stdout() + child.stderr() };
}

function parseStat(text: string): HaproxyServerState[] {
  const [head = '', ...lines] = text.replace(/^# /, '').trim().split('\n');
  const columns = head.split(',');
  return lines
    .map((line) => line.split(','))
    .map((cells) => (column: string) => cells[columns.indexOf(column)] ?? '')
    .filter((cell) => !['FRONTEND', 'BACKEND'].includes(cell('svname')))
    .map((cell) => ({
      backend: cell('pxname'),
      server: cell('svname'),
      status: cell('status'),
      weight: Number(cell('weight')),
      sessions: Number(cell('stot')),
      agentStatus: cell('agent_status'),
    }));
}

function askSocket(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setTimeout(2_000, () => socket.destroy(new Error(`no answer to ${command}`)));
    socket.on('connect', () => socket.write(`${command}\n`));
    socket.on('data', (bytes) => (answer += bytes.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
