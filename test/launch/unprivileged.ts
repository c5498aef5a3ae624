// Real servers run as nobody when the tests run as root: a test has no business giving them more, and some
// of them refuse root. Their folder is given to the same user.

import { chownSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from './child.ts';
import { startChild } from './child.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

export function ownFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  giveAway(folder);
  return folder;
}

/** Gives a folder and what is in it to the user that servers run as. */
export function giveAway(folder: string): void {
  if (!isRoot) return;
  chownSync(folder, NOBODY, NOBODY);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    chownSync(join(folder, entry), NOBODY, NOBODY);
  }
}

export function startUnprivileged(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string> },
): Child {
  const env = { HOME: options.cwd, ...options.env };
  if (!isRoot) return startChild(command, args, { cwd: options.cwd, env });
  const drop = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  return startChild('setpriv', [...drop, command, ...args], { cwd: options.cwd, env });
}
