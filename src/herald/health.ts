// Whether this Herald may be asked (`/readyz`) and what is wrong while it still answers ("degraded").

import type { Balancer } from './core/balancer-types.ts';
import type { LoadStoreState } from './load-store/start-load-store.ts';

export interface Health {
  /** Lookups are pointless here right now; a load balancer should ask another replica. */
  unready: string | undefined;
  /** Answers are right but something needs an operator. */
  degraded: string[];
}

export interface HealthSources {
  balancer: Balancer;
  /** Undefined until the store is opened. */
  storeState: () => Pick<LoadStoreState, 'problem' | 'snapshotHealthy'> | undefined;
  stopping: () => boolean;
}

/** Computed at most once in this time: a health check must not cost a snapshot each. */
const KEEP_MS = 200;

export function createHealth(sources: HealthSources): (nowMs: number) => Health {
  let kept: Health = { unready: 'starting', degraded: [] };
  let keptAtMs = -Infinity;
  return (nowMs) => {
    if (sources.stopping()) return { unready: 'stopping', degraded: [] };
    if (nowMs - keptAtMs < KEEP_MS) return kept;
    const table = sources.balancer.snapshot(nowMs);
    const store = sources.storeState();
    kept = {
      // Another replica may know gateways that this one does not.
      unready: table.gateways.length === 0 ? 'no gateway has reported yet' : undefined,
      degraded: [
        ...(store?.problem === undefined ? [] : [`store: ${store.problem}`]),
        ...(store?.snapshotHealthy === false ? ['the snapshot file cannot be written'] : []),
        ...(table.frozen ? ['table frozen: most gateways fell silent at once'] : []),
      ],
    };
    keptAtMs = nowMs;
    return kept;
  };
}
