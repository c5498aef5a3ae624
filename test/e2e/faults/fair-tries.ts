// Tries of a fault whose limit is a fraction of a second. One that falls into a stall of the machine longer
// than the limit itself shows nothing and is made again; a row that finds no fair moment has not held.

import type { FindingBook } from './finding.ts';

/** Tries beyond those wanted, before a row gives up. */
const MORE_TRIES = 10;

/** `make` makes the fault, waits, and tells when it was made; `judge` says what came of it. */
export async function fairTries(
  wanted: number,
  finding: FindingBook,
  make: (time: number) => Promise<{ atMs: number; judge: () => void }>,
): Promise<void> {
  let judged = 0;
  for (let time = 0; judged < wanted; time++) {
    if (time >= wanted + MORE_TRIES) {
      finding.breach(`only ${judged} of ${wanted} tries fell into moments in which this machine kept time`);
      return;
    }
    const { atMs, judge } = await make(time);
    if (!finding.fair(atMs)) {
      finding.note('tries were made again because the machine stood still for longer than the limit');
      continue;
    }
    finding.again();
    judge();
    judged += 1;
  }
}
