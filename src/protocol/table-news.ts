// (3) What is new in another Herald's part of the table. A row begins with what names its report, so that one
// whose report is known already is neither parsed nor checked. That is nearly all of them while every gateway
// reports to every Herald.

import type { Decoded } from './decode.ts';
import { decodeJson } from './decode.ts';
import type { TablePart, TableRow } from './table-row.ts';
import { decodeTablePart, decodeTableRow, TABLE_LIMITS } from './table-row.ts';

/**
 * Whether a row is news, by its report and its age when it was written. May be asked twice for one row. The
 * texts are cut out of the part and keep all of it in memory for as long as they are kept.
 */
export type IsNews = (gateway: string, bootId: string, seq: number, ageMs: number) => boolean;

/** What every row begins with, as `encodeTablePart` writes it. */
const ROW_FRONT = /\{"g":"([\w.:-]+)","boot":"([!#-[\]-~]*)","seq":(\d+),"age":(\d+)[,}]/y;
const PART_END = '\n]}';

/** Decodes a part and gives of its rows only those that are news. One bad row among these refuses the part. */
export function decodeTableNews(text: string, isNews: IsNews): Decoded<TablePart> {
  return newsByLines(text, isNews) ?? newsOfAll(text, isNews);
}

/** Undefined for a part that is not written a row a line, or has a row that must be refused. */
function newsByLines(text: string, isNews: IsNews): Decoded<TablePart> | undefined {
  const firstLineEnd = text.indexOf('\n');
  const end = text.length - PART_END.length;
  if (firstLineEnd < 0 || firstLineEnd >= end || !text.endsWith(PART_END)) return undefined;
  const frame = decodeWhole(`${text.slice(0, firstLineEnd)}]}`);
  if (!frame.ok || frame.value.rows.length > 0) return undefined;
  const rows: TableRow[] = [];
  let count = 0;
  for (let at = firstLineEnd + 1; at < end; count++) {
    const lineEnd = text.indexOf('\n', at);
    const rowEnd = lineEnd === end ? end : lineEnd - 1;
    if (rowEnd < lineEnd && text[rowEnd] !== ',') return undefined;
    ROW_FRONT.lastIndex = at;
    const front = ROW_FRONT.exec(text);
    if (!front || isNews(front[1]!, front[2]!, Number(front[3]), Number(front[4]))) {
      const row = decodeLine(text.slice(at, rowEnd));
      if (!row.ok) return undefined;
      if (front || isNewsRow(row.value, isNews)) rows.push(row.value);
    }
    at = lineEnd + 1;
  }
  return count <= TABLE_LIMITS.maxRowsPerPart ? { ok: true, value: { ...frame.value, rows } } : undefined;
}

function newsOfAll(text: string, isNews: IsNews): Decoded<TablePart> {
  const part = decodeWhole(text);
  if (!part.ok) return part;
  return {
    ok: true,
    value: { ...part.value, rows: part.value.rows.filter((row) => isNewsRow(row, isNews)) },
  };
}

function decodeWhole(text: string): Decoded<TablePart> {
  const json = decodeJson(text, 'part');
  return json.ok ? decodeTablePart(json.value) : json;
}

function decodeLine(text: string): Decoded<TableRow> {
  const json = decodeJson(text, 'row');
  return json.ok ? decodeTableRow(json.value) : json;
}

function isNewsRow({ gateway, bootId, seq, ageMs }: TableRow, isNews: IsNews): boolean {
  return isNews(gateway, bootId, seq, ageMs);
}
