// How much memory this process holds. Node reads it from a file, which fails when no descriptor is left: the last
// known figure then has to do.

/** Returns the function that tells the resident set size in bytes. It never throws. */
export function createResidentMeter(): () => number {
  let lastBytes = 0;
  return () => {
    try {
      lastBytes = process.memoryUsage.rss();
    } catch {
      // Asked again the next time.
    }
    return lastBytes;
  };
}
