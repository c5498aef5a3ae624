// One broker at a time keeps the journal of an id: a second one would take the files of the first for those of a life
// before. The lock is a socket that the broker listens on beside them. It ends with the process, however that ends, and
// is known to other containers on the machine, where process ids mean nothing.

import { rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { StartError } from '../daemon/lifecycle.ts';
import { codeOf } from '../daemon/thrown.ts';

/** The shortest of what systems allow for the path of a socket. */
const MAX_PATH_BYTES = 103;

/**
 * Returns what unlocks it. Throws a StartError where another broker has it, and the system's error where no socket can be
 * made there, as on some network disks.
 */
export async function lockJournal(directory: string, id: string): Promise<() => void> {
  const path = join(directory, `${id}.lock`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error(`${path}: too long for the path of a socket`);
  const server = await listen(path).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    if (!(await isLeftOver(path))) {
      throw new StartError(
        `--journal ${directory}: another broker ${id} is writing there; each needs an id of its own`,
      );
    }
    rmSync(path, { force: true });
    return listen(path);
  });
  return () => void server.close();
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.on('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Whether nobody listens there any more: its broker was killed. */
function isLeftOver(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT'),
    );
  });
}
