// What the parts in the store say, as last read: the rows others wrote with their ages, and which of them
// this Herald knows only from there. Newest (bootId, seq) per gateway wins; the balancer judges boots.

import type { Stamp } from '../../cluster/coordination.ts';
import { parsePartName } from '../../cluster/paths.ts';
import type { TablePart, TableRow } from '../../protocol/table-row.ts';
import type { RowCopy } from './home-rows.ts';
import { reportKey } from './part-split.ts';
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
export type Newest = (gateway: string) => { bootId: string; seq: number } | undefined;

export interface TableCopies {
  /**
   * Takes a part as read now; gives its rows with their ages at `nowMs` that are newer than `own`, ready for
   * the balancer. The same version again gives nothing.
   */
  take(name: string, part: TablePart, stamp: Stamp, ownWrite: OwnWrite | undefined, nowMs: number): Taken;
  /** Takes a part that says nothing readable, so that it can be found again when its Herald is long gone. */
  takeUnreadable(name: string, stamp: Stamp, nowMs: number): void;
  forget(name: string): void;
  /** The watch was broken: what is seen next may have been written at any time since. */
  unwatched(): void;
  /** Remembers which of `rows`, about to be merged, are not known here otherwise. */
  learn(rows: readonly TableRow[], newest: Newest): TableRow[];
  /** Whether this row came from the gateway itself and not from another Herald's part. */
  heard: (row: TableRow) => boolean;
  copyOf: (heraldId: string, gateway: string) => RowCopy | undefined;
  /** Names and versions of all parts. */
  parts(): { name: string; heraldId: string; version: number }[];
}

export interface Taken {
  rows: TableRow[];
  /** False when only a bound or nothing told the age. */
  ageKnown: boolean;
}

export function createTableCopies(): TableCopies {
  const seen = new Map<string, SeenPart>();
  const byHerald = new Map<string, Set<SeenPart>>();
  const learnt = new Map<string, string>();
  let watchedSince = new Set<string>();

  const drop = (name: string): void => {
    const part = seen.get(name);
    if (!part) return;
    seen.delete(name);
    byHerald.get(part.heraldId)?.delete(part);
    if (byHerald.get(part.heraldId)?.size === 0) byHerald.delete(part.heraldId);
  };

  return {
    take(name, part, stamp, ownWrite, nowMs) {
      const before = seen.get(name);
      const watched = watchedSince.has(name);
      watchedSince.add(name);
      if (before?.version === stamp.version) {
        before.seenAtMs = nowMs;
        return { rows: [], ageKnown: true };
      }
      const age = ageMs(stamp, ownWrite, watched ? before?.seenAtMs : undefined, nowMs);
      const partAgeMs = age ?? UNKNOWN_AGE_MS;
      const rows = part.rows.map((row) => ({ ...row, ageMs: row.ageMs + partAgeMs }));
      drop(name);
      const next: SeenPart = {
        heraldId: part.heraldId,
        version: stamp.version,
        seenAtMs: nowMs,
        rows: new Map(
          rows.map((row) => [
            row.gateway,
            { bootId: row.bootId, seq: row.seq, reportedAtMs: nowMs - row.ageMs },
          ]),
        ),
      };
      seen.set(name, next);
      const siblings = byHerald.get(part.heraldId) ?? new Set();
      byHerald.set(part.heraldId, siblings.add(next));
      return { rows, ageKnown: age !== undefined };
    },
    takeUnreadable(name, { version }, nowMs) {
      drop(name);
      const heraldId = parsePartName(name)?.heraldId;
      // Whatever else lies in the folder is not ours to judge.
      if (heraldId === undefined) return;
      seen.set(name, { heraldId, version, seenAtMs: nowMs, rows: new Map() });
    },
    forget(name) {
      drop(name);
      watchedSince.delete(name);
    },
    unwatched: () => void (watchedSince = new Set()),
    learn(rows, newest) {
      for (const gateway of learnt.keys()) if (!newest(gateway)) learnt.delete(gateway);
      const fresh = rows.filter((row) => {
        const mine = newest(row.gateway);
        return mine?.bootId !== row.bootId || mine.seq < row.seq;
      });
      for (const row of fresh) learnt.set(row.gateway, reportKey(row));
      return fresh;
    },
    heard: (row) => learnt.get(row.gateway) !== reportKey(row),
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
