// How much memory this process holds. The system answers through a file: a process that has no descriptor left cannot
// ask, and is not to end for it.

let lastBytes = 0;

/** Resident set size in bytes; the last known one while it cannot be asked for. */
export function residentBytes(): number {
  try {
    lastBytes = process.memoryUsage.rss();
  } catch {
    // Asked again the next time.
  }
  return lastBytes;
}
