// Who holds a TCP port, for one helpful line when a start fails. Linux only, read from /proc, best effort:
// another user's processes stay anonymous.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const LISTEN_STATE = '0A';

/** "node main.js serve (pid 123)", or undefined when the system does not tell. */
export function portOwner(port: number): string | undefined {
  try {
    const inode = listeningInode(port);
    return inode === undefined ? undefined : processOf(inode);
  } catch {
    return undefined;
  }
}

function listeningInode(port: number): string | undefined {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[3] === LISTEN_STATE && columns[1]?.endsWith(wanted)) return columns[9];
    }
  }
  return undefined;
}

function processOf(inode: string): string | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const holds = readdirSync(`/proc/${pid}/fd`).some(
        (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`,
      );
      if (holds) return `${nameOf(pid)} (pid ${pid})`;
    } catch {
      // The process ended or belongs to somebody else.
    }
  }
  return undefined;
}

/** The program, its script and its command: what flags say may be secret. */
function nameOf(pid: string): string {
  const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  const [, script = '', command = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  if (!/\.[cm]?[jt]s$/.test(script)) return name;
  return [name, basename(script), /^[a-z]{1,20}$/.test(command) ? command : ''].join(' ').trimEnd();
}
