// (3) One gateway's row of the load table, as Heralds share it through ZooKeeper and keep it on disk.
// Compact JSON, so that any ZooKeeper shell can read it. A part is {v, herald, boot, rows:[...]}.

import type { Decoded, Fields } from './decode.ts';
import {
  decoding,
  optionalChoice,
  optionalNumber,
  optionalText,
  readFields,
  refuse,
  requiredInteger,
  requiredText,
} from './decode.ts';
import {
  BOOT_ID_PATTERN,
  BOOT_ID_WORDS,
  ID_PATTERN,
  ID_WORDS,
  isGatewayUrl,
  PLACE_PATTERN,
  PLACE_WORDS,
} from './names.ts';

export interface TableRow {
  gateway: string;
  url: string;
  pool: string;
  zone: string;
  labels: Record<string, string>;
  capacity: number;
  bootId: string;
  seq: number;
  state: 'up' | 'draining';
  periodMs: number;
  /** How old the report behind this row was when the row was written. Never a wall-clock time. */
  ageMs: number;
  /** Score as reported: the tightest signal over its limit. */
  reportedScore: number;
  /** Score after the observer: counts predict, measurement corrects (`x` in docs/policy.md). */
  correctedScore: number;
  /** Learned cost of one connection in score (`c`). */
  costPerConnection: number;
  connections: number;
  youngConnections: number;
  /** 0 = no cap. */
  maxConnections: number;
}

export interface TablePart {
  v: 1;
  heraldId: string;
  /** Changes with each start of that Herald. */
  bootId: string;
  rows: readonly TableRow[];
}

export const TABLE_LIMITS = {
  maxRowsPerPart: 2_000,
  maxPartBytes: 256 * 1024,
} as const;

/**
 * Each row stands on a line of its own and begins with what names its report: a reader that knows the report
 * need not read on (table-news.ts). What a reader takes for granted is left out. Written without objects in
 * between, since a Herald does it each second.
 */
export function encodeTablePart(part: TablePart): string {
  const front = `{"v":1,"herald":${quoted(part.heraldId)},"boot":${quoted(part.bootId)},"rows":[`;
  return part.rows.length === 0 ? `${front}]}` : `${front}\n${part.rows.map(rowText).join(',\n')}\n]}`;
}

function rowText(row: TableRow): string {
  const hasLabels = Object.keys(row.labels).length > 0;
  return (
    `{"g":${quoted(row.gateway)},"boot":${quoted(row.bootId)},"seq":${row.seq},"age":${whole(row.ageMs)}` +
    `,"url":${quoted(row.url)}` +
    (row.pool === 'default' ? '' : `,"pool":${quoted(row.pool)}`) +
    (row.zone === '' ? '' : `,"zone":${quoted(row.zone)}`) +
    (hasLabels ? `,"labels":${JSON.stringify(row.labels)}` : '') +
    (row.capacity === 1 ? '' : `,"cap":${row.capacity}`) +
    (row.state === 'up' ? '' : `,"state":${quoted(row.state)}`) +
    `,"period":${row.periodMs},"u":${rounded(row.reportedScore)},"x":${rounded(row.correctedScore)}` +
    `,"c":${rounded(row.costPerConnection)},"n":${row.connections}` +
    (row.youngConnections === 0 ? '' : `,"y":${rounded(row.youngConnections)}`) +
    (row.maxConnections > 0 ? `,"max":${row.maxConnections}}` : '}')
  );
}

/** Decodes a part another Herald wrote. One bad row refuses the part: its writer is broken. */
export function decodeTablePart(value: unknown): Decoded<TablePart> {
  return decoding(() => {
    const from = readFields(value, 'part');
    if (from['v'] !== 1) refuse('v', from['v'], 'the number 1');
    const rows = from['rows'];
    if (!Array.isArray(rows) || rows.length > TABLE_LIMITS.maxRowsPerPart) {
      return refuse('rows', rows, `an array of at most ${TABLE_LIMITS.maxRowsPerPart} rows`);
    }
    return {
      v: 1 as const,
      heraldId: requiredText(from, 'herald', ID_PATTERN, ID_WORDS),
      bootId: bootId(from),
      rows: rows.map((row: unknown, index) => readRow(readFields(row, `rows[${index}]`))),
    };
  });
}

export function decodeTableRow(value: unknown): Decoded<TableRow> {
  return decoding(() => readRow(readFields(value, 'row')));
}

function readRow(from: Fields): TableRow {
  const url = from['url'];
  if (typeof url !== 'string' || !isGatewayUrl(url)) refuse('url', url, 'a ws:// or wss:// URL');
  const labels: Record<string, string> = {};
  for (const [key, text] of Object.entries(readFields(from['labels'] ?? {}, 'labels'))) {
    if (typeof text === 'string' && key !== '__proto__') labels[key] = text;
  }
  return {
    gateway: requiredText(from, 'g', ID_PATTERN, ID_WORDS),
    url,
    pool: optionalText(from, 'pool', PLACE_PATTERN, PLACE_WORDS) || 'default',
    zone: optionalText(from, 'zone', PLACE_PATTERN, PLACE_WORDS) ?? '',
    labels,
    capacity: optionalNumber(from, 'cap', 0.001, 100_000) ?? 1,
    bootId: bootId(from),
    seq: requiredInteger(from, 'seq', 0, Number.MAX_SAFE_INTEGER),
    state: optionalChoice(from, 'state', ['up', 'draining'] as const) ?? 'up',
    periodMs: optionalNumber(from, 'period', 1, 60_000) ?? 500,
    ageMs: optionalNumber(from, 'age', 0, 1e12) ?? 0,
    reportedScore: optionalNumber(from, 'u', 0, 1e15) ?? 0,
    correctedScore: optionalNumber(from, 'x', 0, 1e15) ?? 0,
    costPerConnection: optionalNumber(from, 'c', 0, 1e15) ?? 0,
    connections: optionalNumber(from, 'n', 0, 1e12) ?? 0,
    youngConnections: optionalNumber(from, 'y', 0, 1e12) ?? 0,
    maxConnections: optionalNumber(from, 'max', 0, 1e12) ?? 0,
  };
}

function bootId(from: Fields): string {
  return optionalText(from, 'boot', BOOT_ID_PATTERN, BOOT_ID_WORDS) ?? '';
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** NaN and Infinity are not JSON and would make the whole part unreadable. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.round(value) : 0;
}

/** Six significant digits: enough to order, short to read. By arithmetic, in a third of the time of texts. */
function rounded(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return 0;
  const digits = 5 - Math.floor(Math.log10(Math.abs(value)));
  // Powers of ten are exact up to the 22nd.
  if (digits < 0 || digits > 22) return Number(value.toPrecision(6));
  const scale = POWERS_OF_TEN[digits]!;
  return Math.round(value * scale) / scale;
}

const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
