// (8) What a flush still has to write: runs of one latency class each, the first to be written on top. A quicker
// class that is overdue goes on top of what is under way, and what it overtook goes on afterwards.

import type { Group } from './group.ts';
import type { FlushRun, Outbox } from './outbox.ts';

interface Progress {
  run: FlushRun;
  groups: readonly Group[];
  next: number;
  /** When it overtook another; undefined for the ones a flush began with. */
  overtookMs: number | undefined;
}

export class Flush {
  readonly #outbox: Outbox;
  #runs: Progress[] = [];
  #undisturbedUntilMs = -Infinity;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** The group to be written on; undefined when the flush is over. */
  get group(): Group | undefined {
    const top = this.#runs[0];
    return top?.groups[top.next];
  }

  /** When to go on; Infinity when the flush is over. */
  get dueMs(): number {
    let due = Infinity;
    for (const { run } of this.#runs) due = Math.min(due, this.#outbox.dueOf(run));
    return due;
  }

  begin(nowMs: number): void {
    this.#runs = this.#outbox
      .takeDue(nowMs)
      .map((run) => ({ run, groups: run.groups, next: 0, overtookMs: undefined }));
    this.#undisturbedUntilMs = -Infinity;
  }

  /**
   * Puts quicker classes on top whose time is up. What was overtaken then goes on for as long as it had to
   * wait before it is overtaken again: a quick class that could fill the core leaves half of it.
   */
  letQuickerPass(nowMs: number): void {
    const top = this.#runs[0];
    if (!top || nowMs < this.#undisturbedUntilMs) return;
    const overtaking = this.#outbox.takeOverdue(nowMs, top.run.maxWaitMs).map((run) => ({
      run,
      // One in the middle of its writing is written to the end first, then what is new for it.
      groups: run.groups.flatMap((group) => (group.flushing ? [group, group] : [group])),
      next: 0,
      overtookMs: nowMs,
    }));
    if (overtaking.length > 0) this.#runs.unshift(...overtaking);
  }

  /** `group` is written; returns its run when that was the last of it. */
  written(nowMs: number): FlushRun | undefined {
    const top = this.#runs[0]!;
    top.next += 1;
    if (top.next < top.groups.length) return undefined;
    this.#runs.shift();
    if (top.overtookMs !== undefined) this.#undisturbedUntilMs = nowMs + (nowMs - top.overtookMs);
    return top.run;
  }
}
