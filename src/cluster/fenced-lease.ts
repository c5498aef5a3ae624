// The lease of the one Herald that moves connections. Who holds it is an ephemeral node; that a deposed
// holder can do no harm is the epoch beside it: each new holder raises it in the same transaction that makes
// it holder, and every write under the lease is refused once a newer epoch exists.

import type { Log } from '../daemon/log.ts';
import type { Lease, Outcome } from './coordination.ts';
import type { Session } from './session.ts';
import type { Next } from './standing-loop.ts';
import { removeIfOurs, standingLoop } from './standing-loop.ts';

export function fencedLease(session: Session, path: string, data: string, log: Log): Lease {
  const epochPath = `${path}-epoch`;
  let holding: { epoch: number; sessionId: string } | undefined;
  let released = false;

  const hold = (epoch: number): void => {
    if (holding?.epoch !== epoch) log.info('lease-acquired', { path, epoch });
    holding = { epoch, sessionId: session.sessionId() };
  };
  const lose = (why: string): void => {
    if (holding) log.info('lease-lost', { path, epoch: holding.epoch, why });
    holding = undefined;
  };

  const step = async (onChange: () => void): Promise<Next> => {
    const found = await session.read(path, onChange);
    if (!found.ok) {
      if (found.why !== 'no-node') return found;
      lose('deleted');
      const acquired = await session.acquire(path, data, epochPath);
      // Holding begins only when our own node has been seen: a lost answer takes the same road.
      return acquired.ok || acquired.why === 'exists' ? 'now' : acquired;
    }
    const { owner, version } = found.value;
    if (owner === session.sessionId()) {
      // Nobody raised the epoch since our node was made, because raising it needs the node to be absent. A
      // node deleted since the look above gives a newer epoch that is not ours, so the node is read again.
      const epoch = await session.read(epochPath);
      const still = await session.read(path);
      if (!epoch.ok || !still.ok || still.value.owner !== owner) return 'later';
      hold(epoch.value.version);
      return 'settled';
    }
    lose('held by another');
    // A node without an owner would hold the place for ever, as one that a backup has put back.
    if (owner !== '' && !session.wasOurs(owner)) return 'settled';
    const removed = await session.remove(path, version);
    return removed.ok || removed.why === 'no-node' || removed.why === 'version' ? 'now' : removed;
  };
  const loop = standingLoop(session, path, log, step);

  const held = (): boolean =>
    holding !== undefined &&
    !released &&
    holding.sessionId === session.sessionId() &&
    session.nowMs() < session.safeUntilMs();

  return {
    held,
    epoch: () => (held() ? (holding?.epoch ?? 0) : 0),
    async put(target, value): Promise<Outcome<void>> {
      const epoch = holding?.epoch;
      if (epoch === undefined) return { ok: false, why: 'fenced', detail: 'the lease is not held' };
      const outcome = await session.fencedWrite(epochPath, epoch, target, value);
      if (!outcome.ok && outcome.why === 'fenced' && holding?.epoch === epoch) lose('fenced');
      return outcome;
    },
    async release() {
      if (released) return;
      released = true;
      await loop.stop();
      lose('released');
      await removeIfOurs(session, path);
    },
  };
}
