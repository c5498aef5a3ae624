// (8) Whom to let go of when all clients together have too much unread: each alone may be within its limits
// (slow-consumer.ts), and ten thousand that stop reading at once still take ten gigabytes.

/** Replays that were fetched for one client have a bound of their own (../replay.ts). */
export const MAX_BACKLOG_BYTES = 268_435_456;
/** Down to here, so that it is done once in a while and not for each new message. */
export const RELIEVED_BYTES = MAX_BACKLOG_BYTES * (7 / 8);

export interface Backlogged {
  /** What waits for it, without replays. */
  readonly backlogBytes: number;
  /** It is being closed: what waits for it is about to go. */
  readonly isLeaving: boolean;
}

/**
 * Above the bound, the heaviest, so many that the rest is well within it. The same bytes may wait for a whole group, and then
 * the sum over its members says far too much: no more can wait than the `heldBytes` of all buffers of this process.
 */
export function heaviest<T extends Backlogged>(members: readonly T[], heldBytes: number): T[] {
  const sum = (of: readonly T[]): number => of.reduce((total, { backlogBytes }) => total + backlogBytes, 0);
  const staying = members.filter(({ isLeaving }) => !isLeaving);
  const stayingBytes = sum(staying);
  const leavingBytes = sum(members) - stayingBytes;
  const waitingBytes = Math.min(stayingBytes, heldBytes - leavingBytes);
  if (waitingBytes <= MAX_BACKLOG_BYTES) return [];
  let excess = waitingBytes - RELIEVED_BYTES;
  const chosen: T[] = [];
  for (const one of staying.toSorted((a, b) => b.backlogBytes - a.backlogBytes)) {
    if (excess <= 0) break;
    excess -= one.backlogBytes;
    chosen.push(one);
  }
  return chosen;
}
