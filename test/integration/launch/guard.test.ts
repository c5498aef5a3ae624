// A run that is interrupted leaves nothing behind.

import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { transpiled } from '../../launch/transpiled.ts';
import { until } from '../../launch/until.ts';

/** Zombies do not count: who reaps them is not the test's business. */
function alive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s ends all that a test started', async (signal) => {
  const runner = spawn(process.execPath, [transpiled(join(import.meta.dirname, 'runner-child.ts'))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  runner.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const line = await until('the children', () => /^pids (.+)$/m.exec(output)?.[1]);
  const pids = line.split(' ').map(Number);
  expect(pids.map(alive)).toEqual([true, true, true]);
  runner.kill(signal);
  await once(runner, 'exit');
  await until('all of them to be gone', () => pids.every((pid) => !alive(pid)));
});
