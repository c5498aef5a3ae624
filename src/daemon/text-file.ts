// A file that an operator names, as text. No more of it is read than a person would write: a device that never ends,
// or a dump of gigabytes, is a slip of the finger and refused at once.

import { closeSync, openSync, readSync } from 'node:fs';

const MIB = 1024 * 1024;

/** @throws Error when it cannot be read, or holds more than `maxMb` MiB. */
export function readTextFile(path: string, maxMb: number): string {
  const bytes = Buffer.allocUnsafe(maxMb * MIB + 1);
  const file = openSync(path, 'r');
  try {
    let size = 0;
    for (;;) {
      const got = readSync(file, bytes, size, bytes.length - size, null);
      size += got;
      if (size === bytes.length) throw new Error(`holds more than ${maxMb} MB`);
      if (got === 0) return bytes.toString('utf8', 0, size);
    }
  } finally {
    closeSync(file);
  }
}
