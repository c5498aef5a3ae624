// Waits for a condition by polling with a deadline: the only wait that tests on real servers may use. Where the
// length of a silence is itself what is tested, `pause`.

import { createAwakeClock } from '../../src/daemon/clock.ts';

/**
 * Resolves with the first truthy value of `probe`; what it throws counts as not yet. Rejects after
 * `deadlineMs` with what was waited for and the last value or error; a stall of the machine is no time waited.
 */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  deadlineMs = 10_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const nowMs = createAwakeClock();
  const endMs = nowMs() + deadlineMs;
  let last: unknown;
  while (nowMs() < endMs) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await pause(everyMs);
  }
  throw new Error(
    `waited ${deadlineMs} ms for ${typeof what === 'string' ? what : what()}; last: ${String(last)}`,
  );
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
