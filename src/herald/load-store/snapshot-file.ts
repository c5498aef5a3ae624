// The table and the desired states on disk, each second, so that a Herald restarted while everything else is
// down still answers. A disk that is full, read-only or silent is reported once and costs nothing else.

import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { nextTurn } from '../../daemon/clock.ts';
import type { Log, LogFields } from '../../daemon/log.ts';
import { errorFields } from '../../daemon/log.ts';
import { codeOf } from '../../daemon/thrown.ts';
import type { Decoded } from '../../protocol/decode.ts';
import { decodeJson, decoding, readFields, refusalText } from '../../protocol/decode.ts';
import { ID_PATTERN } from '../../protocol/names.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import { decodeTablePart, encodeTablePart } from '../../protocol/table-row.ts';
import type { KeptDesired } from './desired-entry.ts';
import { decodeDesired, encodeDesired } from './desired-entry.ts';
import { sameReports, splitParts } from './part-split.ts';
import { temporaryOf } from './stale-temporaries.ts';

export interface Snapshot {
  rows: TableRow[];
  desired: Map<string, KeptDesired>;
}

export interface SnapshotFile {
  /** Writes unless nothing changed; while a write is under way it waits for that one. Never rejects. */
  save(snapshot: Snapshot): Promise<void>;
  /** False from a write that failed or hangs until the next good one. */
  healthy(): boolean;
}

/** A write that takes longer hangs, as on a network disk that is away. */
const HANGS_AFTER_MS = 5_000;
/** Rows written in one turn of the event loop, some 2 ms. */
const ROWS_PER_TURN = 500;

export function snapshotFile(path: string, heraldId: string, log: Log): SnapshotFile {
  let saved: { wishesText: string; rows: readonly TableRow[] } | undefined;
  let underWay: Promise<void> | undefined;
  let healthy = true;
  const temporary = temporaryOf(path, process.pid);
  const fails = (fields: LogFields): void => {
    if (healthy) log.warn('snapshot-file-failed', { path, ...fields });
    healthy = false;
  };

  const write = async (wishesText: string, rows: readonly TableRow[]): Promise<void> => {
    const hangs = setTimeout(() => fails({ afterMs: HANGS_AFTER_MS }), HANGS_AFTER_MS).unref();
    const parts: string[] = [];
    for (const part of splitParts(rows, ROWS_PER_TURN)) {
      await nextTurn();
      parts.push(encodeTablePart({ v: 1, heraldId, bootId: '', rows: part }));
    }
    try {
      // The rename makes it whole or absent: a reader never sees half a table.
      await writeFile(temporary, `{"v":1,"desired":${wishesText},"parts":[${parts.join(',\n')}]}\n`);
      await rename(temporary, path);
      saved = { wishesText, rows };
      if (!healthy) log.info('snapshot-file-written-again', { path });
      healthy = true;
    } catch (error) {
      fails(errorFields(error));
      await rm(temporary, { force: true }).catch(() => {});
    }
    clearTimeout(hangs);
    underWay = undefined;
  };

  return {
    async save({ rows, desired }) {
      if (underWay) return underWay;
      const wishesText = JSON.stringify(
        Object.fromEntries([...desired].map(([gateway, kept]) => [gateway, keptFields(kept)])),
      );
      if (saved?.wishesText === wishesText && sameReports(saved.rows, rows)) return;
      underWay = write(wishesText, rows);
      await underWay;
    },
    healthy: () => healthy,
  };
}

/**
 * Reads a snapshot back; undefined when there is none or it is not readable, which is logged. Every row comes
 * marked stale: how long this Herald was down is not known, and the gateways will soon tell better.
 */
export function loadSnapshot(path: string, staleAfterMs: number, log: Log): Snapshot | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      log.warn('snapshot-file-unreadable', { path, ...errorFields(error) });
    }
    return undefined;
  }
  const decoded = decodeSnapshot(text, staleAfterMs, path, log);
  if (decoded.ok) return decoded.value;
  log.warn('snapshot-file-refused', { path, problem: refusalText(decoded.refusal) });
  return undefined;
}

/** What such a file says. A part or a wish that is broken is left out; `path` names it in the log. */
export function decodeSnapshot(
  text: string,
  staleAfterMs: number,
  path: string,
  log: Log,
): Decoded<Snapshot> {
  const json = decodeJson(text, 'snapshot');
  const file = json.ok ? decoding(() => readFields(json.value, 'snapshot')) : json;
  if (!file.ok) return file;
  const rows: TableRow[] = [];
  const parts = file.value['parts'];
  for (const part of Array.isArray(parts) ? parts : []) {
    const decoded = decodeTablePart(part);
    if (decoded.ok) rows.push(...decoded.value.rows.map((row) => markStale(row, staleAfterMs)));
    else log.warn('snapshot-part-refused', { path, problem: refusalText(decoded.refusal) });
  }
  const desired = new Map<string, KeptDesired>();
  const kept = decoding(() => readFields(file.value['desired'] ?? {}, 'desired'));
  for (const [gateway, one] of Object.entries(kept.ok ? kept.value : {})) {
    const decoded = decodeDesired(JSON.stringify(one));
    if (!decoded.ok || !ID_PATTERN.test(gateway)) continue;
    const unshared = (one as { unshared?: unknown }).unshared === true;
    desired.set(gateway, { desired: decoded.value.desired, unshared });
  }
  return { ok: true, value: { rows, desired } };
}

function keptFields({ desired, unshared }: KeptDesired): object {
  const fields = JSON.parse(encodeDesired({ desired, forMs: 0 })) as object;
  return { ...fields, ...(unshared && { unshared }) };
}

/** Gateways with a long period are stale after four of them (see load-table.ts). */
function markStale(row: TableRow, staleAfterMs: number): TableRow {
  return { ...row, ageMs: Math.max(row.ageMs, staleAfterMs, 4 * row.periodMs) + 1 };
}
