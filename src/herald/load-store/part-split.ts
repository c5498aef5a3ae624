// Cuts a Herald's rows into parts that fit the store: at most 2,000 rows and 256 KB each.

import type { TableRow } from '../../protocol/table-row.ts';
import { TABLE_LIMITS } from '../../protocol/table-row.ts';

/** In the order of gateway ids, so that the same rows always make the same parts. No rows, no parts. */
export function splitParts(
  rows: readonly TableRow[],
  rowsPerPart: number = TABLE_LIMITS.maxRowsPerPart,
): TableRow[][] {
  const sorted = [...rows].sort((a, b) => (a.gateway < b.gateway ? -1 : 1));
  const parts: TableRow[][] = [];
  for (let from = 0; from < sorted.length; from += rowsPerPart) {
    parts.push(sorted.slice(from, from + rowsPerPart));
  }
  return parts;
}

/**
 * Rows a part from now on, after one with `rows` rows took `bytes`. Rows differ in size, so the size is
 * measured on what is written and not foretold; a tenth is left for numbers that grow.
 */
export function fittingRowsPerPart(rowsPerPart: number, rows: number, bytes: number): number {
  if (bytes <= TABLE_LIMITS.maxPartBytes) return rowsPerPart;
  return Math.max(1, Math.floor(rows * (TABLE_LIMITS.maxPartBytes / bytes) * 0.9));
}

/** Whether two parts tell of the same reports: what a row says changes only with its report, and its age is not a change. */
export function sameReports(before: readonly TableRow[], now: readonly TableRow[]): boolean {
  return (
    before.length === now.length &&
    now.every((row, index) => row.gateway === before[index]!.gateway && sameReport(row, before[index]!))
  );
}

export function sameReport(a: ReportName, b: ReportName): boolean {
  return a.seq === b.seq && a.bootId === b.bootId;
}

/** Numbers begin anew with each boot, and where boots have no names that is not told from an older report. */
export function mayBeNewer(a: ReportName, b: ReportName): boolean {
  return a.bootId !== b.bootId || a.seq > b.seq || (a.bootId === '' && a.seq < b.seq);
}

/** What tells one report of a gateway from another. */
export type ReportName = Pick<TableRow, 'bootId' | 'seq'>;
