// (2) Turnover: how many of a gateway's young connections only take the place of others that leave. Young ones will
// cost more than they do, but where clients come and go all the time as many old ones will be gone by then.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { GatewayRecord } from './gateway-slots.ts';

/** Longer than a connection is young, so that a crowd which leaves and comes back is not usual yet. */
const WINDOW_MS = 30_000;

/** Of one gateway, over the last half minute; the counts fade. */
export interface Turnover {
  came: number;
  left: number;
  /** Mean of its young connections. */
  young: number;
}

export function noTurnover(): Turnover {
  return { came: 0, left: 0, young: 0 };
}

/** One report, `sinceMs` after the last, when it had `before` connections. To be called before the counters are renewed. */
export function countTurnover(
  record: GatewayRecord,
  report: LoadReport,
  before: number,
  sinceMs: number,
): void {
  const { acceptedTotal, connections, youngConnections = 0 } = report;
  if (acceptedTotal === undefined || record.acceptedTotal === undefined || connections === undefined) return;
  const came = Math.max(0, acceptedTotal - record.acceptedTotal);
  const left = Math.max(0, came - (connections - before));
  const fade = Math.exp(-Math.max(0, sinceMs) / WINDOW_MS);
  const { turnover } = record;
  turnover.came = turnover.came * fade + came;
  turnover.left = turnover.left * fade + left;
  turnover.young += (1 - fade) * (youngConnections - turnover.young);
}

/** Young connections that stand for others which leave: all usual ones where as many leave as come. */
export function replacing({ came, left, young }: Turnover): number {
  return came > 0 ? young * Math.min(1, left / came) : 0;
}
