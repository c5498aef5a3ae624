// `table-age` and `gateway-load`: verdicts on the load table of one Herald, as `GET /v1/table` gives it.

import type { Decoded } from '../../protocol/decode.ts';
import { decoding, readFields, refuse } from '../../protocol/decode.ts';
import { counted } from './counted.ts';
import type { Limits, Verdict } from './verdict.ts';
import { severityOf } from './verdict.ts';

interface TableRow {
  gateway: string;
  pool: string;
  state: string;
  expectedScore: number;
  connections: number;
}

export interface CheckedTable {
  ageMs: number;
  frozen: boolean;
  rows: TableRow[];
}

/** Reads what the checks need of a table view. */
export function decodeTable(value: unknown): Decoded<CheckedTable> {
  return decoding(() => {
    const table = readFields(value, 'table');
    const rows = table['gateways'];
    if (!Array.isArray(rows)) return refuse('gateways', rows, 'an array');
    return {
      ageMs: measured(table['ageMs'], 'ageMs'),
      frozen: table['frozen'] === true,
      rows: rows.map((row: unknown, index) => {
        const fields = readFields(row, `gateways[${index}]`);
        return {
          gateway: String(fields['gateway']),
          pool: String(fields['pool']),
          state: String(fields['effectiveState']),
          expectedScore: measured(fields['expectedScore'], `gateways[${index}].expectedScore`),
          connections: measured(fields['connections'], `gateways[${index}].connections`),
        };
      }),
    };
  });
}

function measured(value: unknown, field: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(field, value, 'a number');
}

/** Is Herald still being told the load? */
export function judgeTableAge({ ageMs, frozen, rows }: CheckedTable, limits: Limits): Verdict {
  const figures = [
    { label: 'age', value: ageMs, unit: 'ms' as const, limits, min: 0 },
    { label: 'gateways', value: rows.length, min: 0 },
  ];
  if (rows.length === 0)
    return { severity: 'critical', text: 'the table is empty: no gateway reports', figures: [] };
  if (frozen) {
    return { severity: 'critical', text: 'the table is frozen: most gateways fell silent at once', figures };
  }
  return {
    severity: severityOf(ageMs, limits),
    text: `newest report is ${Math.round(ageMs)} ms old, ${counted(rows.length, 'gateway')}`,
    figures,
  };
}

export interface LoadScope {
  /** One gateway, by id; empty = all. */
  gateway: string;
  /** Empty = all pools. */
  pool: string;
}

/** How loaded is the hottest gateway that takes connections, or the one that was named? */
export function judgeGatewayLoad({ rows }: CheckedTable, scope: LoadScope, limits: Limits): Verdict {
  const inScope = rows.filter(
    ({ gateway, pool }) =>
      (scope.gateway === '' || gateway === scope.gateway) && (scope.pool === '' || pool === scope.pool),
  );
  const where = scope.pool !== '' ? `pool ${scope.pool}` : 'the table';
  if (inScope.length === 0) {
    const who = scope.gateway === '' ? 'gateway that reports' : `gateway ${scope.gateway}`;
    return { severity: 'critical', text: `${where} has no ${who}`, figures: [] };
  }
  // One that was named is judged in any state; of many, those that are drained on purpose do not count.
  const judged = scope.gateway !== '' ? inScope : inScope.filter(({ state }) => state === 'up');
  if (judged.length === 0) {
    const states = [...new Set(inScope.map(({ state }) => state))].sort().join(', ');
    return {
      severity: 'critical',
      text: `${where} has no gateway that takes connections (${states})`,
      figures: [],
    };
  }
  const hottest = judged.reduce((max, row) => (row.expectedScore > max.expectedScore ? row : max));
  const mean = judged.reduce((sum, row) => sum + row.expectedScore, 0) / judged.length;
  return {
    severity: severityOf(hottest.expectedScore, limits),
    text: `hottest is ${hottest.gateway} at ${percent(hottest.expectedScore)}, mean ${percent(mean)} of ${judged.length}`,
    figures: [
      { label: 'max', value: hottest.expectedScore, limits, min: 0 },
      { label: 'mean', value: mean, min: 0 },
      { label: 'connections', value: judged.reduce((sum, row) => sum + row.connections, 0), min: 0 },
      { label: 'gateways', value: judged.length, min: 0 },
    ],
  };
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
