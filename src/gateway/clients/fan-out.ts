// (8) Drives the outbox: one flush at a time, in slices between which the loop breathes and the outbox may rest,
// and one timer for the next slice.

import type { Clock } from '../../daemon/clock.ts';
import type { Timing } from '../../daemon/metrics.ts';
import { Flush } from '../core/flush.ts';
import type { Hub } from '../core/hub.ts';
import type { FlushRun, Outbox } from '../core/outbox.ts';

/** A slice ends here, well below the 10 ms that a loop may be blocked. */
const SLICE_MS = 4;
/** Members written between two looks at the clock: some 0.3 ms. */
const WRITES_PER_LOOK = 32;
const LAG_WINDOW_MS = 2_000;
const MAX_LAGS = 256;

export interface FanOutParts {
  hub: Hub;
  outbox: Outbox;
  clock: Clock;
  flushDuration: Timing;
  /** A flush has ended. */
  flushed?: () => void;
}

export class FanOut {
  readonly #parts: FanOutParts;
  readonly #flush: Flush;
  /** Of the flush under way, so far. */
  #costMs = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the next slice begins; Infinity = nothing to write, -Infinity = in this turn of the loop. */
  #nextMs = Infinity;
  #lagsMs: { atMs: number; lagMs: number }[] = [];

  constructor(parts: FanOutParts) {
    this.#parts = parts;
    this.#flush = new Flush(parts.outbox);
  }

  /** Something may be due; cheap enough to be called for every batch of messages. */
  wake(): void {
    const dueMs = Math.min(this.#flush.dueMs, this.#parts.outbox.dueMs());
    if (dueMs >= this.#nextMs || this.#stopped) return;
    clearTimeout(this.#timer);
    const waitMs = dueMs - this.#parts.clock.nowMs();
    // The timers of the loop have whole milliseconds.
    if (waitMs >= 0.5) {
      this.#nextMs = dueMs;
      this.#timer = setTimeout(() => this.#slice(), waitMs);
      return;
    }
    this.#nextMs = -Infinity;
    // After the current turn of the loop: all of a burst goes into one flush.
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    if (this.#stopped) return;
    const { hub, clock, outbox, flushDuration, flushed } = this.#parts;
    const startMs = clock.nowMs();
    if (this.#flush.group) this.#flush.letQuickerPass(startMs);
    else this.#flush.begin(startMs + 0.5);
    let nowMs = startMs;
    let { group } = this.#flush;
    while (group && nowMs - startMs < SLICE_MS) {
      if (!group.flushing && group.hasPending) group.begin();
      const isWritten = hub.write(group, WRITES_PER_LOOK);
      nowMs = clock.nowMs();
      if (isWritten) this.#noteLag(this.#flush.written(nowMs), nowMs);
      ({ group } = this.#flush);
    }
    outbox.spent(nowMs - startMs, nowMs);
    this.#costMs += nowMs - startMs;
    if (!group && this.#costMs > 0) {
      flushDuration.observe(this.#costMs);
      this.#costMs = 0;
      flushed?.();
    }
    this.#nextMs = Infinity;
    this.wake();
  }

  #noteLag(run: FlushRun | undefined, nowMs: number): void {
    if (!run) return;
    this.#lagsMs.push({ atMs: nowMs, lagMs: nowMs - run.firstMs });
    if (this.#lagsMs.length > MAX_LAGS) this.#lagsMs.shift();
  }

  /** Longest time a message waited here from its arrival to the last write of it, over the last 2 s. */
  lagMs(): number {
    const sinceMs = this.#parts.clock.nowMs() - LAG_WINDOW_MS;
    return this.#lagsMs.reduce((most, { atMs, lagMs }) => (atMs > sinceMs ? Math.max(most, lagMs) : most), 0);
  }

  /** Writes nothing more; what waits is lost, so clients are caught up before. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
