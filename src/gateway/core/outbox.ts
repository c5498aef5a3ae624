// (8) When to write. A write costs about 9 us however few bytes it carries, so frames are worth collecting; but
// nobody should wait longer than the machine needs. c ms of writing are paid for with c / t ms of time, which keeps
// writing at the share t of a core, however many subscribers there are: light load goes out at once, on time that
// was saved, and under heavy load the writing goes round all subscribers evenly, each waiting one round at most.
// `maxWaitMs` of a topic's class cuts the waiting short.

import type { Group } from './group.ts';

/** Topics that may wait equally long. */
export interface FlushClass {
  readonly maxWaitMs: number;
  /**
   * Groups with something to write, in the order in which they got it, and when that was, ms. Those that a quicker class
   * has taken over are passed over.
   */
  readonly groups: Group[];
  readonly sinceMs: number[];
}

/** Groups of one class whose flush is due. */
export interface FlushRun {
  readonly maxWaitMs: number;
  /** When the oldest frame in it came, ms. */
  readonly firstMs: number;
  readonly groups: readonly Group[];
}

/**
 * Groups of a class that go into one flush. What comes during a flush waits for its end; with few groups in each
 * everybody's turn comes round as evenly as with one group of all.
 */
export const GROUPS_A_FLUSH = 64;
/** Time that can be saved for writing at once: after it a single message goes out to thousands without a rest. */
export const CREDIT_MS = 100;

function createFlushClass(maxWaitMs: number): FlushClass {
  return { maxWaitMs, groups: [], sinceMs: [] };
}

export class Outbox {
  readonly #targetShare: number;
  readonly #classes: FlushClass[] = [];
  /** What was written so far is paid for then. */
  #paidMs = -Infinity;

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
    const current = group.flushClass;
    if (current && current.maxWaitMs <= wanted.maxWaitMs) return;
    if (!current) group.waitsSinceMs = nowMs;
    // A faster topic takes the group's whole log with it: frames of one group keep their order.
    group.flushClass = wanted;
    group.markedMs = nowMs;
    wanted.groups.push(group);
    wanted.sinceMs.push(nowMs);
  }

  /** When the next flush is due; Infinity when nothing waits. */
  dueMs(): number {
    let due = Infinity;
    for (const one of this.#classes) due = Math.min(due, this.#dueOfClass(one));
    return due;
  }

  #dueOfClass(one: FlushClass): number {
    return this.dueOf({ firstMs: headMs(one), maxWaitMs: one.maxWaitMs });
  }

  /** When there may be writing for frames of which the oldest came at `firstMs`. */
  dueOf({ firstMs, maxWaitMs }: { firstMs: number; maxWaitMs: number }): number {
    return Math.min(firstMs + maxWaitMs, Math.max(firstMs, this.#paidMs));
  }

  /** Takes the groups whose flush is due, the quickest class first, of each those that have waited longest. */
  takeDue(nowMs: number): FlushRun[] {
    return this.#classes.flatMap((one) => (this.#dueOfClass(one) > nowMs ? [] : this.#take(one)));
  }

  /**
   * Takes what may not wait for the end of a flush under way: classes quicker than `quickerThanMs` whose
   * `maxWaitMs` is over.
   */
  takeOverdue(nowMs: number, quickerThanMs: number): FlushRun[] {
    return this.#classes.flatMap((one) =>
      one.maxWaitMs >= quickerThanMs || headMs(one) + one.maxWaitMs > nowMs ? [] : this.#take(one),
    );
  }

  #take(one: FlushClass): FlushRun[] {
    const { maxWaitMs, groups, sinceMs } = one;
    const taken: Group[] = [];
    let firstMs = Infinity;
    let passed = 0;
    while (passed < groups.length && taken.length < GROUPS_A_FLUSH) {
      const at = passed++;
      if (!waits(one, at)) continue;
      const group = groups[at]!;
      group.flushClass = undefined;
      if (!group.hasPending || group.members.length === 0) continue;
      taken.push(group);
      firstMs = Math.min(firstMs, group.waitsSinceMs);
    }
    groups.splice(0, passed);
    sinceMs.splice(0, passed);
    return taken.length > 0 ? [{ maxWaitMs, firstMs, groups: taken }] : [];
  }

  /** `costMs` of writing ended at `nowMs`. */
  spent(costMs: number, nowMs: number): void {
    this.#paidMs = Math.max(this.#paidMs, nowMs - costMs - CREDIT_MS) + costMs / this.#targetShare;
  }
}

/** Whether the group at this place has waited there since; false when a quicker class has taken it over. */
function waits(one: FlushClass, at: number): boolean {
  const group = one.groups[at]!;
  return group.flushClass === one && group.markedMs === one.sinceMs[at];
}

/** Since when the first one waits; Infinity where none does. */
function headMs(one: FlushClass): number {
  let stale = 0;
  while (stale < one.groups.length && !waits(one, stale)) stale += 1;
  if (stale > 0) {
    one.groups.splice(0, stale);
    one.sinceMs.splice(0, stale);
  }
  return one.sinceMs[0] ?? Infinity;
}
