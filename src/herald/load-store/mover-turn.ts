// Whose turn it is to move connections and to advise on fleet size: the holder of the lease, and only while
// the fence confirms it. A write under the lease each few seconds is refused as soon as a newer epoch
// exists, so that two Heralds that both believe they hold it are told apart by the store.

import type { Coordination } from '../../cluster/coordination.ts';
import type { ClusterPaths } from '../../cluster/paths.ts';
import type { Clock } from '../../daemon/clock.ts';

export interface MoverTurn {
  /** To be called about each 100 ms. */
  step(): void;
  held(): boolean;
  epoch(): number;
  release(): Promise<void>;
}

export function createMoverTurn(
  coordination: Coordination,
  paths: ClusterPaths,
  heraldId: string,
  clock: Clock,
): MoverTurn {
  const lease = coordination.lease(paths.moverLease, heraldId);
  let confirmed: { epoch: number; sentAtMs: number } | undefined;
  let triedAtMs = -Infinity;
  let confirming = false;

  const confirm = async (): Promise<void> => {
    confirming = true;
    const epoch = lease.epoch();
    const sentAtMs = clock.nowMs();
    triedAtMs = sentAtMs;
    const written = await lease.put(
      paths.moverRound,
      JSON.stringify({ herald: heraldId, epoch, at: clock.epochMs() }),
    );
    if (written.ok) confirmed = { epoch, sentAtMs };
    else if (written.why === 'fenced') confirmed = undefined;
    confirming = false;
  };
  const timeoutMs = (): number => coordination.snapshot().sessionTimeoutMs;
  const isConfirmed = (): boolean =>
    confirmed !== undefined &&
    confirmed.epoch === lease.epoch() &&
    clock.nowMs() - confirmed.sentAtMs < (timeoutMs() * 2) / 3;

  return {
    step() {
      if (!lease.held() || confirming || coordination.state() !== 'up') return;
      if (isConfirmed() && clock.nowMs() - triedAtMs < timeoutMs() / 4) return;
      if (clock.nowMs() - triedAtMs < 200) return;
      void confirm();
    },
    held: () => lease.held() && isConfirmed(),
    epoch: () => (isConfirmed() ? lease.epoch() : 0),
    release: () => lease.release(),
  };
}
