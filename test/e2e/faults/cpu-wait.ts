// How long a process was ready to run and had no core, by the kernel's own count: what a busy machine adds to
// a start that is nothing but work. A process that is slow by itself does not wait in this sense.

import { readFileSync } from 'node:fs';

/** Of the main thread since its start (proc(5), schedstat: the second field, in ns); 0 where it is not counted. */
export function waitedForCpuMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}
