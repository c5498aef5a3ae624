// Which rows a Herald writes: those it is home for (rendezvous over the live Heralds), and any whose home
// copy has grown old, because that home does not hear the gateway. Only rows it heard from the gateway
// itself: an echo of another Herald's copy would look fresh and silence the one that really hears.

import { rendezvousOwner } from '../../protocol/rendezvous.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import { mayBeNewer } from './part-split.ts';

/** On top of the gateway's own report period. A home writes each second, so 2 s are two missed writes. */
const HOME_COPY_OLD_MS = 2_000;

/** What a Herald's part says of a gateway. */
export interface RowCopy {
  bootId: string;
  seq: number;
  /** When the report behind it was made, on this process's monotonic clock. */
  reportedAtMs: number;
}

export interface HomeRowsInput {
  rows: readonly TableRow[];
  heraldId: string;
  /** Live Heralds; this one counts whether it is listed or not. */
  heralds: readonly string[];
  copyOf: (heraldId: string, gateway: string) => RowCopy | undefined;
  heard: (row: TableRow) => boolean;
  nowMs: number;
}

export interface HomeRows {
  choose(input: HomeRowsInput): TableRow[];
}

export function createHomeRows(): HomeRows {
  let homes = new Map<string, string>();
  let homesFor = '';
  /** Since when a gateway's home has had no copy of it at all. */
  let missingSince = new Map<string, number>();

  const homeOf = (gateway: string, members: readonly string[]): string => {
    const known = homes.get(gateway);
    if (known !== undefined) return known;
    const home = rendezvousOwner(gateway, members)!;
    homes.set(gateway, home);
    return home;
  };

  return {
    choose({ rows, heraldId, heralds, copyOf, heard, nowMs }) {
      const members = heralds.includes(heraldId) ? heralds : [...heralds, heraldId];
      const membersKey = [...members].sort().join(' ');
      if (membersKey !== homesFor || homes.size > 2 * rows.length + 1_000) homes = new Map();
      homesFor = membersKey;
      const stillMissing = new Map<string, number>();
      const chosen = rows.filter((row) => {
        if (!heard(row)) return false;
        const home = homeOf(row.gateway, members);
        if (home === heraldId) return true;
        const copy = copyOf(home, row.gateway);
        const oldAfterMs = HOME_COPY_OLD_MS + row.periodMs;
        if (copy) {
          return mayBeNewer(row, copy) && nowMs - copy.reportedAtMs > oldAfterMs;
        }
        const sinceMs = missingSince.get(row.gateway) ?? nowMs;
        stillMissing.set(row.gateway, sinceMs);
        return nowMs - sinceMs > oldAfterMs;
      });
      missingSince = stillMissing;
      return chosen;
    },
  };
}
