// Tries of a fault whose limit is a fraction of a second. One in which the machine took longer than the limit
// itself, from this process or from a Herald, shows nothing and is made again; a row that finds no fair moment
// has not held.

import type { FindingBook } from './finding.ts';

/** Tries beyond those wanted, before a row gives up. */
const MORE_TRIES = 10;

export interface Try {
  atMs: number;
  /** How long it took, and how much of that a Herald was ready to run and had no core (cpu-wait.ts). */
  work?: { tookMs: number; waitedMs: number };
  judge: () => void;
}

/** `make` makes the fault, waits, and tells when it was made; `judge` says what came of it. */
export async function fairTries(
  wanted: number,
  finding: FindingBook,
  make: (time: number) => Promise<Try>,
): Promise<void> {
  let judged = 0;
  for (let time = 0; judged < wanted; time++) {
    if (time >= wanted + MORE_TRIES) {
      finding.breach(`only ${judged} of ${wanted} tries fell into moments in which this machine kept time`);
      return;
    }
    const { atMs, work, judge } = await make(time);
    if (!finding.fair(atMs, work)) {
      finding.note('tries were made again because the machine stood still for longer than the limit');
      continue;
    }
    finding.again();
    judge();
    judged += 1;
  }
}
