// The figures of several runs as a text table for a terminal, one line a run.

import type { SimulationResult } from './run-simulation.ts';

interface Column {
  title: string;
  cell: (result: SimulationResult) => string;
  left?: boolean;
}

const ratio = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
const percent = (value: number): string => `${(value * 100).toFixed(1)}%`;

const COLUMNS: readonly Column[] = [
  { title: 'scenario', cell: (result) => result.scenario, left: true },
  { title: 'policy', cell: (result) => result.policy, left: true },
  { title: 'seed', cell: (result) => String(result.seed) },
  { title: 'max/mean p50', cell: (result) => ratio(result.p50MaxMean) },
  { title: 'p99', cell: (result) => ratio(result.p99MaxMean) },
  { title: 'hottest', cell: (result) => percent(result.hottest) },
  { title: 'time hot', cell: (result) => percent(result.hotShare) },
  { title: 'overload', cell: (result) => `${result.overloadSec} s` },
  { title: 'settled', cell: (result) => settled(result.settleSec) },
  { title: 'moved', cell: (result) => percent(result.movedShare) },
  { title: 'refused', cell: (result) => String(result.refused) },
];

/** Columns are aligned with spaces; the last line ends with a newline. */
export function renderResultsTable(results: readonly SimulationResult[]): string {
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...results.map((result) => COLUMNS.map(({ cell }) => cell(result))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) =>
    row
      .map((text, i) => (COLUMNS[i]!.left ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function settled(seconds: number | null): string {
  if (seconds === null) return '-';
  return Number.isFinite(seconds) ? `${seconds} s` : 'never';
}
