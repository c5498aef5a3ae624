// (8) Whom to let go of when all clients together have too much unread, or sent too much that they do not finish: each
// alone may be within its limits (slow-consumer.ts), and ten thousand that stop reading at once still take ten gigabytes.

/** Of each of the two. Replays that were fetched for one client have a bound of their own (../clients/replay.ts). */
export const MAX_TOGETHER_BYTES = 268_435_456;
/** Down to here, so that it is done once in a while and not for each new message. */
export const RELIEVED_BYTES = MAX_TOGETHER_BYTES * (7 / 8);

/**
 * Above the bound, the heaviest, so many that the rest is well within it. The same bytes may wait for a whole group, and then
 * the sum over its members says far too much: no more can wait than the `heldBytes` of all buffers of this process. Those
 * that are being closed are passed over: what they have is about to go.
 */
export function heaviest<T extends { readonly isLeaving: boolean }>(
  members: readonly T[],
  bytesOf: (member: T) => number,
  heldBytes = Infinity,
): T[] {
  const sum = (of: readonly T[]): number => of.reduce((total, one) => total + bytesOf(one), 0);
  const staying = members.filter(({ isLeaving }) => !isLeaving);
  const stayingBytes = sum(staying);
  const leavingBytes = sum(members) - stayingBytes;
  const waitingBytes = Math.min(stayingBytes, heldBytes - leavingBytes);
  if (waitingBytes <= MAX_TOGETHER_BYTES) return [];
  let excess = waitingBytes - RELIEVED_BYTES;
  const chosen: T[] = [];
  for (const one of staying.toSorted((a, b) => bytesOf(b) - bytesOf(a))) {
    if (excess <= 0) break;
    excess -= bytesOf(one);
    chosen.push(one);
  }
  return chosen;
}
