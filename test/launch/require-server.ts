// Whether a real server that a test needs is installed. A missing one skips the test loudly, with the
// command that installs it; with CI=true it fails instead, because a skip in CI is a hole nobody sees.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type ServerName = 'zookeeper' | 'haproxy' | 'prometheus' | 'chromium' | 'graphite' | 'nagios' | 'cc';

const SERVERS: Record<ServerName, { files: string[]; commands: string[]; apt: string }> = {
  zookeeper: { files: ['/usr/share/java/zookeeper.jar'], commands: ['java'], apt: 'zookeeper' },
  haproxy: { files: [], commands: ['haproxy'], apt: 'haproxy' },
  prometheus: { files: [], commands: ['prometheus', 'promtool'], apt: 'prometheus' },
  chromium: { files: [], commands: ['chromium'], apt: 'chromium' },
  graphite: { files: [], commands: ['carbon-cache'], apt: 'graphite-carbon graphite-web' },
  cc: { files: ['/usr/include/stdio.h'], commands: ['cc'], apt: 'gcc libc6-dev' },
  nagios: { files: [], commands: ['nagios4'], apt: 'nagios4' },
};

/** Full path of a command, also in the sbin folders that a user's PATH often lacks; undefined if absent. */
export function commandPath(command: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, command)).find((path) => readable(path, constants.X_OK));
}

/**
 * True when `name` can be started. To be used as `describe.runIf(requireServer('zookeeper'))`. With CI=true
 * a missing server throws, which fails the test file.
 */
export function requireServer(name: ServerName): boolean {
  const { files, commands, apt } = SERVERS[name];
  const missing = [
    ...files.filter((file) => !readable(file, constants.R_OK)),
    ...commands.filter((command) => commandPath(command) === undefined),
  ];
  if (missing.length === 0) return true;
  const message = `${name} is not installed (no ${missing.join(', ')}): apt-get install ${apt}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.warn(`\n*** SKIPPED: ${message}\n`);
  return false;
}

function readable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
