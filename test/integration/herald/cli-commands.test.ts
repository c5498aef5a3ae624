// Each command of the built program is found in the file that `main.ts` loads for it.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const MAIN = join(process.cwd(), 'dist/cli/main.js');
const herald = async (...args: string[]): Promise<string> =>
  (await run(process.execPath, [MAIN, ...args])).stdout;

it('shows the help of every command it lists, and of no other', async () => {
  const commands = [...(await herald('--help')).matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');
  expect(commands.length).toBeGreaterThan(15);
  const helps = await Promise.all(commands.map((command) => herald(command, '--help')));
  for (const [i, command] of commands.entries()) {
    expect(helps[i], command).toMatch(new RegExp(`^Usage: herald ${command} `));
  }
  await expect(herald('serv')).rejects.toThrow('Did you mean serve?');
});
