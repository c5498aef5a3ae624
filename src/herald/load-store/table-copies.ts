// What the parts in the store say, as last read: the rows others wrote with their ages, and which of them
// this Herald knows only from there. Newest (bootId, seq) per gateway wins; the balancer judges boots.

import type { Entry } from '../../cluster/coordination.ts';
import { parsePartName } from '../../cluster/paths.ts';
import type { Decoded } from '../../protocol/decode.ts';
import { decodeTableNews } from '../../protocol/table-news.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { RowCopy } from './home-rows.ts';
import type { ReportName } from './part-split.ts';
import { mayBeNewer, sameReport } from './part-split.ts';
import type { OwnWrite } from './store-time.ts';
import { ageMs } from './store-time.ts';

/** Rows of a part whose age nothing tells: too old to be named, not yet forgotten. */
export const UNKNOWN_AGE_MS = 5_000;

interface SeenPart {
  heraldId: string;
  version: number;
  seenAtMs: number;
  rows: Map<string, RowCopy>;
}

/** The newest report that the balancer has of a gateway, wherever it came from. */
export type Newest = (gateway: string) => (ReportName & { gateway: string }) | undefined;

export interface TableCopies {
  /**
   * Takes a part as read now; gives the rows that are newer than what the balancer has, with their ages at
   * `nowMs`, ready to be merged. A part that says nothing readable is still found again when its Herald is
   * long gone. Undefined for the version that was taken before.
   */
  take(
    name: string,
    entry: Entry,
    ownWrite: OwnWrite | undefined,
    nowMs: number,
  ): Decoded<TableRow[]> | undefined;
  forget(name: string): void;
  /** The watch was broken: what is seen next may have been written at any time since. */
  unwatched(): void;
  /** Whether this row came from the gateway itself and not from another Herald's part. */
  heard: (row: TableRow) => boolean;
  copyOf: (heraldId: string, gateway: string) => RowCopy | undefined;
  /** Names and versions of all parts. */
  parts(): { name: string; heraldId: string; version: number }[];
}

export function createTableCopies(newest: Newest): TableCopies {
  const seen = new Map<string, SeenPart>();
  const byHerald = new Map<string, Set<SeenPart>>();
  /** The reports that are known here only from other Heralds. */
  const learnt = new Map<string, ReportName>();
  let watchedSince = new Set<string>();

  const drop = (name: string): void => {
    const part = seen.get(name);
    if (!part) return;
    seen.delete(name);
    byHerald.get(part.heraldId)?.delete(part);
    if (byHerald.get(part.heraldId)?.size === 0) byHerald.delete(part.heraldId);
  };
  const keep = (name: string, part: SeenPart): void => {
    drop(name);
    seen.set(name, part);
    byHerald.set(part.heraldId, (byHerald.get(part.heraldId) ?? new Set()).add(part));
  };
  const learn = (rows: readonly TableRow[]): void => {
    for (const gateway of learnt.keys()) if (!newest(gateway)) learnt.delete(gateway);
    for (const row of rows) learnt.set(row.gateway, row);
  };

  /** The bound of the age that an unbroken watch gives. */
  const olderSeenAtMs = (name: string): number | undefined =>
    watchedSince.has(name) ? seen.get(name)?.seenAtMs : undefined;

  return {
    take(name, entry, ownWrite, nowMs) {
      const { version } = entry;
      const before = seen.get(name);
      if (before?.version === version) {
        watchedSince.add(name);
        before.seenAtMs = nowMs;
        return undefined;
      }
      const partAgeMs = ageMs(entry, ownWrite, olderSeenAtMs(name), nowMs) ?? UNKNOWN_AGE_MS;
      const copies = new Map<string, RowCopy>();
      const part = decodeTableNews(entry.data, (gateway, bootId, seq, rowAgeMs) => {
        const mine = newest(gateway);
        if (!mine || mayBeNewer({ bootId, seq }, mine)) return true;
        // The balancer's own texts are kept: these are slices, which would keep the whole part in memory.
        copies.set(mine.gateway, { bootId: mine.bootId, seq, reportedAtMs: nowMs - rowAgeMs - partAgeMs });
        return false;
      });
      if (!part.ok) {
        const heraldId = parsePartName(name)?.heraldId;
        // Not the name of a part: not ours to delete one day.
        if (heraldId === undefined) drop(name);
        else keep(name, { heraldId, version, seenAtMs: nowMs, rows: new Map() });
        return part;
      }
      const rows = part.value.rows.map((row) => ({ ...row, ageMs: row.ageMs + partAgeMs }));
      for (const row of rows) {
        copies.set(row.gateway, { bootId: row.bootId, seq: row.seq, reportedAtMs: nowMs - row.ageMs });
      }
      watchedSince.add(name);
      keep(name, { heraldId: part.value.heraldId, version, seenAtMs: nowMs, rows: copies });
      if (rows.length > 0) learn(rows);
      return { ok: true, value: rows };
    },
    forget(name) {
      drop(name);
      watchedSince.delete(name);
    },
    unwatched: () => void (watchedSince = new Set()),
    heard(row) {
      const known = learnt.get(row.gateway);
      return !known || !sameReport(known, row);
    },
    copyOf(heraldId, gateway) {
      for (const part of byHerald.get(heraldId) ?? []) {
        const copy = part.rows.get(gateway);
        if (copy) return copy;
      }
      return undefined;
    },
    parts: () =>
      [...seen].map(([name, { heraldId, version }]) => ({
        name,
        heraldId: parsePartName(name)?.heraldId ?? heraldId,
        version,
      })),
  };
}
