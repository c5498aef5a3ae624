// (1) The young connections of a server that only counts: arrivals are read off the number accepted so far.
// Which of them closed again is not known, so their weight is at most the number of open ones.

import { createYoungConnections } from '../../protocol/young-connections.ts';

/** A counter that jumps further within one tick was set, not counted. */
const MAX_ARRIVALS = 100_000;

export interface Arrivals {
  /** Takes the number accepted since boot; call each 100 ms or so. */
  observe(acceptedTotal: number, nowMs: number): void;
  youngConnections(connections: number, nowMs: number): number;
}

/** Throws a TypeError when `rampMs` is not 0 to 60,000. */
export function createArrivals(rampMs?: number): Arrivals {
  const young = createYoungConnections(rampMs);
  let last: number | undefined;
  return {
    observe(acceptedTotal, nowMs) {
      // Those who were there before the first look are grown, or soon will be.
      const count = Math.min(MAX_ARRIVALS, acceptedTotal - (last ?? acceptedTotal));
      last = acceptedTotal;
      for (let i = 0; i < count; i++) young.opened(nowMs);
    },
    youngConnections: (connections, nowMs) => Math.min(connections, young.value(nowMs)),
  };
}
