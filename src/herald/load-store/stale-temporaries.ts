// What a Herald that was killed in the middle of a save left beside its snapshot file. Each process writes under a name
// of its own, so nobody else would ever overwrite or remove it.

import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Log } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { codeOf } from '../../daemon/thrown.ts';

/** Where the process `pid` writes the snapshot before it becomes `path`. */
export function temporaryOf(path: string, pid: number): string {
  return `${path}.${pid}.tmp`;
}

/** Removes what dead processes left beside `path`; whatever else lies in the folder stays. Never throws. */
export function removeStaleTemporaries(path: string, log: Log): void {
  const folder = dirname(path);
  for (const name of namesIn(folder)) {
    const pid = pidIn(name, basename(path));
    if (pid === undefined || lives(pid)) continue;
    try {
      rmSync(join(folder, name));
      log.info('snapshot-temporary-removed', { path: join(folder, name) });
    } catch (error) {
      log.warn('snapshot-temporary-kept', { path: join(folder, name), ...errorFields(error) });
    }
  }
}

/** A folder that cannot be read has its own line in the log as soon as the snapshot is read or written. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function pidIn(name: string, base: string): number | undefined {
  if (!name.startsWith(`${base}.`) || !name.endsWith('.tmp')) return undefined;
  const text = name.slice(base.length + 1, -'.tmp'.length);
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

/** Whether a process of this number runs, whoever owns it; in doubt it does. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
