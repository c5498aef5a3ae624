// Runs the built command to its end.

import { spawn } from 'node:child_process';
import { HERALD_BIN } from '../../launch/herald-process.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function herald(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [HERALD_BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (ended.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ended.stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
}
