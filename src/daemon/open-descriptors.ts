// How many descriptors of this process are open. Where the kernel does not tell (before Linux 6.2) they have to be
// listed: 20 ms of CPU for 20,000 of them.

import { readdir, stat } from 'node:fs/promises';
import { openFilesLimit } from './descriptors.ts';
import { codeOf } from './thrown.ts';

export const COUNT_DESCRIPTORS_EVERY_MS = 5_000;
const OPEN_FILES = '/proc/self/fd';

export interface OpenDescriptors {
  open: number;
  limit: number;
}

/** Returns the function that counts them: undefined on a system without /proc or limit. It never rejects. */
export function createDescriptorMeter(): () => Promise<OpenDescriptors | undefined> {
  let limit = openFilesLimit();
  return async () => {
    // Cannot be read when none is left.
    const told = openFilesLimit();
    if (told !== Infinity) limit = told;
    if (limit === Infinity) return undefined;
    const open = await count(limit).catch(() => undefined);
    return open === undefined ? undefined : { open, limit };
  };
}

async function count(limit: number): Promise<number> {
  const { size } = await stat(OPEN_FILES);
  if (size > 0) return size;
  try {
    return (await readdir(OPEN_FILES)).length;
  } catch (error) {
    if (['EMFILE', 'ENFILE'].includes(codeOf(error) ?? '')) return limit;
    throw error;
  }
}
