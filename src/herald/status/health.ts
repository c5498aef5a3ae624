// Whether this Herald may be asked (`/readyz`) and what is wrong while it still answers ("degraded").

import type { Clock } from '../../daemon/clock.ts';
import type { Balancer } from '../core/balancer-types.ts';
import type { LoadStoreState } from '../load-store/start-load-store.ts';

export interface Health {
  /** Lookups are pointless here right now; a load balancer should ask another replica. */
  unready: string | undefined;
  /** Answers are right but something needs an operator. */
  degraded: string[];
}

export interface HealthSources {
  balancer: Balancer;
  clock: Clock;
  /** Undefined until the store is opened. */
  storeState: () => Pick<LoadStoreState, 'problem' | 'snapshotHealthy'> | undefined;
  /** Of the control port: gateways may soon find no place. */
  controlTrouble: () => string | undefined;
  recordingTrouble: () => string | undefined;
  stopping: () => boolean;
}

export function createHealth(sources: HealthSources): () => Health {
  return () => {
    if (sources.stopping()) return { unready: 'stopping', degraded: [] };
    const { balancer } = sources;
    const store = sources.storeState();
    const troubles = [sources.controlTrouble(), sources.recordingTrouble()];
    return {
      unready: whyUnready(balancer, sources.clock.nowMs()),
      degraded: [
        ...(store?.problem === undefined ? [] : [`store: ${store.problem}`]),
        ...(store?.snapshotHealthy === false ? ['the snapshot file cannot be written'] : []),
        ...troubles.filter((one) => one !== undefined),
        ...(balancer.isFrozen() ? ['table frozen: most gateways fell silent at once'] : []),
      ],
    };
  };
}

/** Another replica may know gateways that this one does not, or was awake. */
function whyUnready(balancer: Balancer, nowMs: number): string | undefined {
  if (balancer.size() === 0) return 'no gateway has reported yet';
  return balancer.isWaking(nowMs) ? 'this Herald slept, and hears its gateways first' : undefined;
}
