// An explanation as text: a line a candidate with the sum that it was compared by, the winner first. A term that
// is added to the policy shows up here by its name.

import type { ExplainedCandidate, Explanation } from '../herald/core/explanation.ts';

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

interface Row {
  candidate: ExplainedCandidate;
  drawn: number;
}

export function renderExplanation(explanation: Explanation): string {
  const { lookupId, way, ageMs, draws, factors, candidates } = explanation;
  const rows = rowsOf(candidates);
  const terms = Object.keys(candidates[0]?.terms ?? {}) as (keyof ExplainedCandidate['terms'])[];
  const head = [
    '',
    'gateway',
    'drawn',
    'report age',
    'reported',
    ...terms.map((term, i) => (i === 0 ? `= ${term}` : `+ ${term}`)),
    'expected',
    'compared',
    'young',
    'in flight',
  ];
  const lines = rows.map(({ candidate, drawn }) => [
    candidate.won ? '*' : '',
    candidate.gateway,
    `${drawn}x`,
    `${Math.round(candidate.ageMs)} ms`,
    load(candidate.reported),
    ...terms.map((term) => load(candidate.terms[term])),
    load(candidate.expected),
    load(candidate.compared),
    count(candidate.young),
    count(candidate.pending),
  ]);
  const ago = ageMs === undefined ? '' : `, ${(ageMs / 1_000).toFixed(1)} s ago`;
  const first = `lookup ${lookupId}${ago}: ${WAYS[way]}`;
  if (candidates.length === 0) return first;
  return [
    first,
    `looked at ${draws}; a ticket in flight counted as ${factors.pending.toFixed(2)} connections, a connect as ${(1_000 * factors.handshake).toFixed(2)} ms of CPU`,
    '',
    ...aligned([head, ...lines]),
  ].join('\n');
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

function aligned(cells: readonly string[][]): string[] {
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) =>
    row
      .map((text, i) => (i < 2 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}

function load(value: number): string {
  return value === 0 ? '0' : value.toFixed(3);
}

function count(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
