// (8) When a client reads too slowly to keep. Bytes are counted and not messages: it is memory that runs out.
// The soft limit gives a client on a bad line time to recover, the hard one bounds what it can cost.

export interface SlowLimits {
  softBytes: number;
  hardBytes: number;
  /** How long a client may stay above the soft limit. */
  softForMs: number;
}

export type SlowVerdict = 'fine' | 'slow' | 'too-slow';

/**
 * `replayBytes`: of the buffered ones, those of a replay that the client does not have yet. It asked for them, so they
 * are not held against it at once; they lengthen its time instead, and what waits behind them waits as long.
 * `overSinceMs`: when the client went above the soft limit; undefined = it was below.
 */
export function judgeBacklog(
  bufferedBytes: number,
  replayBytes: number,
  overSinceMs: number | undefined,
  nowMs: number,
  { softBytes, hardBytes, softForMs }: SlowLimits,
): SlowVerdict {
  if (bufferedBytes - replayBytes > hardBytes) return 'too-slow';
  if (bufferedBytes <= softBytes) return 'fine';
  const allowedMs = softForMs * (1 + replayBytes / softBytes);
  return overSinceMs !== undefined && nowMs - overSinceMs >= allowedMs ? 'too-slow' : 'slow';
}
