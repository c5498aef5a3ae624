// An explanation as text: a line a candidate with the sum that it was compared by, the winner first. A term that
// is added to the policy shows up here by its name.

import type { ExplainedCandidate, Explanation } from '../../herald/core/explanation.ts';

const WAYS: Record<Explanation['way'], string> = {
  drawn: 'the least of those drawn',
  'full-look': 'the least of all: those drawn would not do, or it follows an order to move',
  affinity: 'the owner of its key',
  refused: 'refused: the best one is above the admission limit or barred',
  'no-gateways': 'refused: its pool had no gateway',
  'none-eligible': 'refused: no gateway was left for it; its answer said which filter removed whom',
  'rate-limited': 'refused: its pool was at its rate limit of lookups',
  starting: 'refused: this Herald had been paused and waited for fresh reports',
};

const GAP = '  ';

interface Row {
  candidate: ExplainedCandidate;
  drawn: number;
}

/** `width`: columns of the terminal; what the sum can do without is left out where it is too narrow. */
export function renderExplanation(explanation: Explanation, width = Infinity): string {
  const { lookupId, way, ageMs, draws, factors, candidates } = explanation;
  const ago = ageMs === undefined ? '' : `, ${(ageMs / 1_000).toFixed(1)} s ago`;
  const first = `lookup ${lookupId}${ago}: ${WAYS[way]}`;
  if (candidates.length === 0) return first;
  return [
    first,
    `looked at ${draws}; a ticket in flight counted as ${factors.pending.toFixed(2)} connections, a connect as ${(1_000 * factors.handshake).toFixed(2)} ms of CPU`,
    '',
    ...aligned(fitting(columnsOf(rowsOf(candidates)), width)),
  ].join('\n');
}

interface Column {
  /** The head, then a cell a row. */
  cells: string[];
  /** Which goes first when room is short: 1 before 2; 0 stays. */
  spare: number;
  left?: boolean;
}

function columnsOf(rows: readonly Row[]): Column[] {
  const column = (head: string, spare: number, cell: (row: Row) => string, left = false): Column => ({
    cells: [head, ...rows.map(cell)],
    spare,
    left,
  });
  const terms = Object.keys(rows[0]?.candidate.terms ?? {}) as (keyof ExplainedCandidate['terms'])[];
  const isCompared = rows.every(({ candidate }) => candidate.compared === candidate.expected);
  return [
    column('', 0, ({ candidate }) => (candidate.won ? '*' : ''), true),
    column('gateway', 0, ({ candidate }) => candidate.gateway, true),
    column('drawn', 6, ({ drawn }) => `${drawn}x`),
    column('report age', 5, ({ candidate }) => `${Math.round(candidate.ageMs)} ms`),
    column('reported', 0, ({ candidate }) => load(candidate.reported)),
    ...terms.map((term, i) => {
      const isNothing = i > 0 && rows.every(({ candidate }) => candidate.terms[term] === 0);
      const head = i === 0 ? `= ${term}` : `+ ${term}`;
      return column(head, isNothing ? 1 : 0, ({ candidate }) => load(candidate.terms[term]));
    }),
    column('expected', 0, ({ candidate }) => load(candidate.expected)),
    column('compared', isCompared ? 4 : 0, ({ candidate }) => load(candidate.compared)),
    column('young', 3, ({ candidate }) => count(candidate.young)),
    column('in flight', 2, ({ candidate }) => count(candidate.pending)),
  ];
}

function fitting(columns: readonly Column[], width: number): readonly Column[] {
  const needed = columns.reduce((sum, column) => sum + widthOf(column) + GAP.length, -GAP.length);
  const [spare] = columns.filter((column) => column.spare > 0).sort((a, b) => a.spare - b.spare);
  if (needed <= width || spare === undefined) return columns;
  return fitting(
    columns.filter((column) => column !== spare),
    width,
  );
}

/** One row a gateway, however often it was drawn: the winner, then by what was compared. */
function rowsOf(candidates: readonly ExplainedCandidate[]): Row[] {
  const rows = new Map<string, Row>();
  for (const candidate of candidates) {
    const row = rows.get(candidate.gateway);
    if (!row) rows.set(candidate.gateway, { candidate, drawn: 1 });
    else {
      row.drawn += 1;
      if (candidate.won) row.candidate = candidate;
    }
  }
  return [...rows.values()].sort(
    (a, b) =>
      Number(b.candidate.won) - Number(a.candidate.won) || a.candidate.compared - b.candidate.compared,
  );
}

function aligned(columns: readonly Column[]): string[] {
  return columns[0]!.cells.map((_, line) =>
    columns
      .map((column) => {
        const text = column.cells[line]!;
        return column.left ? text.padEnd(widthOf(column)) : text.padStart(widthOf(column));
      })
      .join(GAP)
      .trimEnd(),
  );
}

function widthOf({ cells }: Column): number {
  return Math.max(...cells.map((text) => text.length));
}

function load(value: number): string {
  return value === 0 ? '0' : value.toFixed(3);
}

function count(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
