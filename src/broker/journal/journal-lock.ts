// One broker at a time keeps the journal of an id: a second one would take the files of the first for those of a life
// before. The lock is a socket that the broker listens on beside them. It ends with the process, however that ends, and
// is known to other containers on the machine, where process ids mean nothing.
//
// Each has a socket with a name of its own, which nobody uses again: to remove one that is left over can never remove
// another's that has just taken its place. Whoever comes listens first, then looks who else is there. Of two that come
// at once, at least one sees the other; it asks, and gives way unless the other only takes the lock too and has the
// higher name.

import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { StartError } from '../../daemon/lifecycle.ts';
import { codeOf } from '../../daemon/thrown.ts';

/** The shortest of what systems allow for the path of a socket. */
const MAX_PATH_BYTES = 103;
/** What a socket says of its broker. Of one that says nothing before it closes, the worst is assumed. */
const TAKING = 't';
const HOLDING = 'h';
const ANSWER_AT_MOST_MS = 2_000;

/**
 * Returns what unlocks it. Throws a StartError where another broker has it, and the system's error where no socket can be
 * made there, as on some network disks.
 */
export async function lockJournal(directory: string, id: string): Promise<() => void> {
  const own = `${id}.${randomBytes(4).toString('hex')}.lock`;
  const path = join(directory, own);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error(`${path}: too long for the path of a socket`);
  let says = TAKING;
  const server = await listen(path, () => says);
  const asked = new Set([own]);
  const unasked = (): string | undefined =>
    readdirSync(directory).find((name) => isLockOf(id, name) && !asked.has(name));
  try {
    // Others may come while one is asked. With nobody left to ask, the lock is taken in the same turn.
    for (let next = unasked(); next !== undefined; next = unasked()) {
      asked.add(next);
      let answer = await ask(join(directory, next));
      // One that gives way, or ends, cuts off who is just asking.
      if (answer === '') answer = await ask(join(directory, next));
      if (answer === undefined) rmSync(join(directory, next), { force: true });
      else if (answer !== TAKING || next < own) {
        throw new StartError(
          `--journal ${directory}: another broker ${id} is writing there; each needs an id of its own`,
        );
      }
    }
  } catch (error) {
    server.close();
    throw error;
  }
  says = HOLDING;
  return () => void server.close();
}

function isLockOf(id: string, name: string): boolean {
  return name.startsWith(`${id}.`) && /^([0-9a-f]{8}\.)?lock$/.test(name.slice(id.length + 1));
}

function listen(path: string, says: () => string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(says(), () => socket.destroy());
    });
    server.unref();
    server.on('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** What a socket says; undefined where nobody listens there any more: its broker is gone. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    let heard = '';
    socket.setTimeout(ANSWER_AT_MOST_MS, () => socket.destroy());
    socket.on('data', (bytes) => (heard += bytes.toString()));
    socket.on('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(undefined);
      // Another user's, who alone may ask it.
      else if (code === 'EACCES') reject(error);
    });
    socket.on('close', () => resolve(heard));
  });
}
