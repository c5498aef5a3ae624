// The figures of several runs as a text table for a terminal, one line a run.

import type { SimulationResult } from './run-simulation.ts';

interface Column {
  title: string;
  cell: (result: SimulationResult) => string;
  left?: boolean;
}

const ratio = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
const percent = (value: number): string => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)}%`;

const COLUMNS: readonly Column[] = [
  { title: 'scenario', cell: (result) => result.scenario, left: true },
  { title: 'policy', cell: (result) => result.policy, left: true },
  { title: 'p50', cell: (result) => ratio(result.p50MaxMean) },
  { title: 'p99', cell: (result) => ratio(result.p99MaxMean) },
  { title: 'max', cell: (result) => percent(result.hottest) },
  { title: 'hot', cell: (result) => percent(result.hotShare) },
  { title: 'over', cell: (result) => `${result.overloadSec}s` },
  { title: 'even', cell: (result) => settled(result.settleSec) },
  { title: 'moved', cell: (result) => percent(result.movedShare) },
  { title: 'refused', cell: (result) => String(result.refused) },
];

const LEGEND = `
p50, p99  highest over mean load, over time     max   highest load of a gateway
hot       time with one hot and the rest calm   over  gateway-seconds over 100%
even      until a new gateway is as loaded      moved, refused  clients
`;

/** Columns are aligned with spaces, and fit a terminal of eighty; the last line ends with a newline. */
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
  return `${lines.join('\n')}\n${LEGEND}`;
}

function settled(seconds: number | null): string {
  if (seconds === null) return '-';
  return Number.isFinite(seconds) ? `${seconds}s` : 'never';
}
