// (8) When to flush. A write costs about 9 us however few bytes it carries, so frames are worth collecting;
// but nobody should wait longer than the machine needs. After a flush that cost c ms the outbox rests for
// c * (1 - t) / t, which keeps flushing at the share t of a core, however many subscribers there are: light
// load goes out at once, heavy load in larger pieces. `maxWaitMs` of a topic's class cuts the rest short.

import type { Group } from './group.ts';

/** Topics that may wait equally long. */
export interface FlushClass {
  readonly maxWaitMs: number;
  groups: Group[];
  /** When the oldest frame in it came, ms; Infinity while empty. */
  firstMs: number;
}

export function createFlushClass(maxWaitMs: number): FlushClass {
  return { maxWaitMs, groups: [], firstMs: Infinity };
}

export class Outbox {
  readonly #targetShare: number;
  readonly #classes: FlushClass[] = [];
  #restUntilMs = -Infinity;

  /** `targetShare`: share of one core that flushing may take, 0..1. */
  constructor(targetShare: number) {
    this.#targetShare = targetShare;
  }

  /** Classes must be made here, so that the outbox sees them all. One a wait. */
  classOf(maxWaitMs: number): FlushClass {
    const known = this.#classes.find((one) => one.maxWaitMs === maxWaitMs);
    if (known) return known;
    const made = createFlushClass(maxWaitMs);
    this.#classes.push(made);
    // The quickest first: when several are due at once they are written in this order.
    this.#classes.sort((a, b) => a.maxWaitMs - b.maxWaitMs);
    return made;
  }

  /** A frame was appended to `group` for a topic of class `wanted`. */
  mark(group: Group, wanted: FlushClass, nowMs: number): void {
    const current = group.flushClass as FlushClass | undefined;
    if (current && current.maxWaitMs <= wanted.maxWaitMs) return;
    // A faster topic takes the group's whole log with it: frames of one group keep their order.
    group.flushClass = wanted;
    wanted.groups.push(group);
    if (wanted.firstMs === Infinity) wanted.firstMs = nowMs;
  }

  /** When the next flush is due; Infinity when nothing waits. */
  dueMs(): number {
    let due = Infinity;
    for (const one of this.#classes) due = Math.min(due, this.#dueOf(one));
    return due;
  }

  #dueOf({ firstMs, maxWaitMs }: FlushClass): number {
    return Math.min(firstMs + maxWaitMs, Math.max(firstMs, this.#restUntilMs));
  }

  /** When the oldest waiting frame came; Infinity when nothing waits. */
  oldestMs(): number {
    return this.#classes.reduce((oldest, { firstMs }) => Math.min(oldest, firstMs), Infinity);
  }

  /** Takes the groups whose flush is due, ready to be sealed and written. */
  takeDue(nowMs: number): Group[] {
    const due: Group[] = [];
    for (const one of this.#classes) {
      if (this.#dueOf(one) > nowMs) continue;
      for (const group of one.groups) {
        // Marked again by a faster class meanwhile, or emptied since.
        if (group.flushClass !== one) continue;
        group.flushClass = undefined;
        if (group.hasPending && group.members.length > 0) due.push(group);
      }
      one.groups = [];
      one.firstMs = Infinity;
    }
    return due;
  }

  /** A flush ended at `nowMs` after `costMs` of work. */
  finished(costMs: number, nowMs: number): void {
    this.#restUntilMs = nowMs + (costMs * (1 - this.#targetShare)) / this.#targetShare;
  }
}
