// Waits for a condition by polling with a deadline: the only wait that tests on real servers may use.

/**
 * Resolves with the first truthy value of `probe`; what it throws counts as not yet. Rejects after
 * `deadlineMs` with what was waited for and the last value or error.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 10_000,
  everyMs = 20,
): Promise<NonNullable<T>> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(`waited ${deadlineMs} ms for ${what}; last: ${String(last)}`);
}
