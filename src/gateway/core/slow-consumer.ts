// (8) When a client reads too slowly to keep. Bytes are counted and not messages: it is memory that runs out.
// The soft limit gives a client on a bad line time to recover, the hard one bounds what it can cost.

export interface SlowLimits {
  softBytes: number;
  hardBytes: number;
  /** How long a client may stay above the soft limit. */
  softForMs: number;
}

export type SlowVerdict = 'fine' | 'slow' | 'too-slow';

/** `overSinceMs`: when the client went above the soft limit; undefined = it was below. */
export function judgeBacklog(
  bufferedBytes: number,
  overSinceMs: number | undefined,
  nowMs: number,
  limits: SlowLimits,
): SlowVerdict {
  if (bufferedBytes > limits.hardBytes) return 'too-slow';
  if (bufferedBytes <= limits.softBytes) return 'fine';
  return overSinceMs !== undefined && nowMs - overSinceMs >= limits.softForMs ? 'too-slow' : 'slow';
}
