// (8) Drives the outbox: one flush at a time, in slices that let the loop breathe, and one timer for the next.

import type { Clock } from '../daemon/clock.ts';
import type { Timing } from '../daemon/metrics.ts';
import { Flush } from './core/flush.ts';
import type { Hub } from './core/hub.ts';
import type { FlushRun, Outbox } from './core/outbox.ts';
import type { Allocate } from './core/ws-frame.ts';

/** A slice ends here, well below the 10 ms that a loop may be blocked. */
const SLICE_MS = 4;
/** Members written between two looks at the clock: some 0.3 ms. */
const WRITES_PER_LOOK = 32;
const LAG_WINDOW_MS = 2_000;
const MAX_LAGS = 256;

export interface FanOutParts {
  hub: Hub;
  outbox: Outbox;
  allocate: Allocate;
  clock: Clock;
  flushDuration: Timing;
  /** A flush has ended. */
  flushed?: () => void;
}

export class FanOut {
  readonly #parts: FanOutParts;
  readonly #flush: Flush;
  #costMs = 0;
  #running = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #timerDueMs = Infinity;
  #lagsMs: { atMs: number; lagMs: number }[] = [];

  constructor(parts: FanOutParts) {
    this.#parts = parts;
    this.#flush = new Flush(parts.outbox);
  }

  /** Something may be due; cheap enough to be called for every batch of messages. */
  wake(): void {
    if (this.#running || this.#stopped) return;
    const dueMs = this.#parts.outbox.dueMs();
    if (dueMs >= this.#timerDueMs) return;
    this.#clearTimer();
    const waitMs = dueMs - this.#parts.clock.nowMs();
    this.#timerDueMs = dueMs;
    if (waitMs < 0.5) {
      this.#running = true;
      // After the current turn of the loop: all of a burst goes into one flush.
      setImmediate(() => this.#begin());
      return;
    }
    this.#timer = setTimeout(() => {
      this.#running = true;
      this.#begin();
    }, waitMs);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
  }

  #begin(): void {
    this.#clearTimer();
    // Half a millisecond early counts as due: the timers of the loop have whole milliseconds.
    this.#flush.begin(this.#parts.clock.nowMs() + 0.5);
    this.#costMs = 0;
    this.#slice();
  }

  #slice(): void {
    const { hub, allocate, clock, outbox, flushDuration, flushed } = this.#parts;
    const startMs = clock.nowMs();
    let nowMs = startMs;
    this.#flush.letQuickerPass(nowMs);
    let { group } = this.#flush;
    while (group && nowMs - startMs < SLICE_MS && !this.#stopped) {
      if (!group.flushing && group.hasPending) group.seal(allocate);
      const isWritten = hub.write(group, WRITES_PER_LOOK);
      nowMs = clock.nowMs();
      if (isWritten) this.#noteLag(this.#flush.written(nowMs), nowMs);
      ({ group } = this.#flush);
    }
    this.#costMs += nowMs - startMs;
    if (group && !this.#stopped) {
      setImmediate(() => this.#slice());
      return;
    }
    if (this.#costMs > 0) {
      flushDuration.observe(this.#costMs);
      outbox.finished(this.#costMs, nowMs);
      flushed?.();
    }
    this.#running = false;
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
    this.#clearTimer();
  }
}
