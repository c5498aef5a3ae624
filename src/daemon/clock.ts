// The two clocks of a process. Every judgement uses the monotonic one, which no operator and no NTP step
// can turn back; the wall clock only dates what people read.

export interface Clock {
  /** Monotonic milliseconds since this process started, with a fraction. */
  nowMs(): number;
  /** Wall clock, milliseconds since 1970. */
  epochMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
};

/**
 * The wall clock with a fraction, for times that are subtracted from those of other processes: never more than a
 * millisecond from `Date.now()`, which knows whole ones alone.
 */
export function createFineClock(
  nowMs = () => performance.now(),
  wallMs = () => Date.now(),
  startedAtMs = performance.timeOrigin,
): () => number {
  let offsetMs = startedAtMs;
  return () => {
    const [now, wall] = [nowMs(), wallMs()];
    offsetMs = Math.min(Math.max(offsetMs, wall - now), wall + 0.999 - now);
    return now + offsetMs;
  };
}

/**
 * A monotonic clock that stands still while the process sleeps (stopped, or its machine suspended), for judgements
 * about others' silence and about waiting. To be read more often than `longestStepMs`.
 */
export function createAwakeClock(longestStepMs = 1_000, nowMs = () => performance.now()): () => number {
  let lastMs = nowMs();
  let sleptMs = 0;
  return () => {
    const now = nowMs();
    sleptMs += Math.max(0, now - lastMs - longestStepMs);
    lastMs = now;
    return now - sleptMs;
  };
}

/**
 * Calls `run` every `periodMs` plus or minus `jitter` (a share of the period), so that timers of many
 * processes do not line up. Returns the function that stops it. `run` must not throw.
 */
export function every(periodMs: number, run: () => void, jitter = 0.1, random = Math.random): () => void {
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(
      () => {
        next();
        run();
      },
      periodMs * (1 + jitter * (2 * random() - 1)),
    );
    timer.unref();
  };
  next();
  return () => clearTimeout(timer);
}

/** For long work of many small pieces: what else the event loop has to do comes in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Resolves when `done` does, and after `deadlineMs` at the latest; what `done` rejects with is passed on. */
export async function atMost(deadlineMs: number, done: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  try {
    await Promise.race([done, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
