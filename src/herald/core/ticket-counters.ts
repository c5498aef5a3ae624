// (2) What a report's ticket counters say has happened since the last one: how many of our own tickets were
// accepted, and what share of all tickets was ours.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { GatewayRecord } from './gateway-slots.ts';

/**
 * The tickets of `heraldId` that the gateway accepted since its last report; `count` hears those of every Herald. `named` =
 * it told tickets from other accepts, else all its accepts stand for them. The first report of a boot only sets the marks;
 * a counter that goes back sets them anew, so no difference is ever negative.
 */
export function reconcileTickets(
  record: GatewayRecord,
  report: LoadReport,
  heraldId: string,
  count: (heraldId: string, more: number) => void,
): { accepted: number; named: boolean } {
  const before = record.admitted;
  const totalBefore = record.acceptedTotal;
  const after = new Map<string, number>();
  let own = 0;
  for (const [id, { admitted }] of Object.entries(report.tickets)) {
    after.set(id, admitted);
    if (before === undefined) continue;
    const more = Math.max(0, admitted - (before.get(id) ?? 0));
    count(id, more);
    if (id === heraldId) own = more;
  }
  record.admitted = after;
  record.acceptedTotal = report.acceptedTotal;
  record.countsTickets = after.size > 0 || report.acceptedTotal !== undefined;
  // A gateway that knows no tickets but counts its accepts: those stand for the tickets.
  if (after.size === 0 && totalBefore !== undefined && report.acceptedTotal !== undefined) {
    return { accepted: Math.max(0, report.acceptedTotal - totalBefore), named: false };
  }
  return { accepted: own, named: after.size > 0 };
}
