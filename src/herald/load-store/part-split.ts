// Cuts a Herald's rows into parts that fit the store: at most 2,000 rows and 256 KB each.

import type { TableRow } from '../../protocol/table-row.ts';
import { TABLE_LIMITS } from '../../protocol/table-row.ts';

/** Bytes of a row without its texts: every number at its longest, every key, brackets and commas. */
const NUMBERS_AND_KEYS_BYTES = 280;
const FRAME_BYTES = 400;

/** Never less than the encoded row takes. */
export function rowBytesAtMost(row: TableRow): number {
  const plain = row.gateway.length + row.url.length + row.pool.length + row.zone.length;
  // Boot ids may need escapes, labels learnt from others may hold any character.
  const escaped = 2 * row.bootId.length + 3 * JSON.stringify(row.labels).length;
  return NUMBERS_AND_KEYS_BYTES + plain + escaped;
}

/** In the order of gateway ids, so that the same rows always make the same parts. No rows, no parts. */
export function splitParts(rows: readonly TableRow[], limits = TABLE_LIMITS): TableRow[][] {
  const sorted = [...rows].sort((a, b) => (a.gateway < b.gateway ? -1 : 1));
  const parts: TableRow[][] = [];
  let part: TableRow[] = [];
  let bytes = FRAME_BYTES;
  for (const row of sorted) {
    const rowBytes = rowBytesAtMost(row);
    if (part.length > 0 && (part.length >= limits.maxRowsPerPart || bytes + rowBytes > limits.maxPartBytes)) {
      parts.push(part);
      part = [];
      bytes = FRAME_BYTES;
    }
    part.push(row);
    bytes += rowBytes;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** Equal for equal reports: what a row says changes only with its report, and its age is not a change. */
export function partFingerprint(rows: readonly TableRow[]): string {
  return rows.map((row) => `${row.gateway}\t${reportKey(row)}`).join('\n');
}

/** Names one report of one gateway. */
export function reportKey(row: Pick<TableRow, 'bootId' | 'seq'>): string {
  return `${row.seq} ${row.bootId}`;
}
