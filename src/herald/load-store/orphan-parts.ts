// Which parts of the table nobody owns any more: their Herald has been gone for a minute of unbroken
// watching. One Herald after the other tries, in the order of ids, so that they do not all ask at once.

const ORPHAN_AFTER_MS = 60_000;
const STAGGER_MS = 5_000;

export interface StoredPart {
  name: string;
  heraldId: string;
  version: number;
}

export interface OrphanWatch {
  /** Parts to delete now, with the version to check. */
  find(
    parts: readonly StoredPart[],
    heraldId: string,
    heralds: readonly string[],
    nowMs: number,
  ): StoredPart[];
  /** The view was broken: every absence starts to count anew. */
  restart(): void;
}

export function createOrphanWatch(): OrphanWatch {
  let absentSince = new Map<string, number>();
  return {
    find(parts, heraldId, heralds, nowMs) {
      const live = new Set([...heralds, heraldId]);
      const rank = [...live].sort().indexOf(heraldId);
      const absent = new Map<string, number>();
      const orphans = parts.filter((part) => {
        if (live.has(part.heraldId)) return false;
        const sinceMs = absentSince.get(part.heraldId) ?? nowMs;
        absent.set(part.heraldId, sinceMs);
        return nowMs - sinceMs >= ORPHAN_AFTER_MS + rank * STAGGER_MS;
      });
      absentSince = absent;
      return orphans;
    },
    restart: () => void (absentSince = new Map()),
  };
}
