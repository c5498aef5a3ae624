// The table of a run.

import type { Result } from './run-row.ts';

const COLUMNS: [string, (result: Result) => string | number, number][] = [
  ['fault', ({ row }) => row, 28],
  ['times', ({ times }) => times, 6],
  ['msgs/s', ({ ratePerSec }) => ratePerSec, 8],
  ['published', ({ published }) => published, 11],
  ['acked', ({ acked }) => acked, 10],
  ['resent', ({ resent }) => resent, 8],
  ['lost', ({ lost }) => lost, 7],
  ['in gaps', ({ flagged }) => flagged, 8],
  ['unflagged', ({ unflagged }) => unflagged, 10],
  ['twice', ({ duplicates }) => duplicates, 6],
  ['kept', ({ broken }) => (broken.length === 0 ? 'yes' : 'NO'), 5],
];

export function printResults(results: readonly Result[]): string {
  const line = (cells: (string | number)[]): string =>
    cells
      .map((cell, i) => {
        const width = COLUMNS[i]![2];
        return i === 0 ? String(cell).padEnd(width) : String(cell).padStart(width);
      })
      .join('');
  const rows = results.map((result) => line(COLUMNS.map(([, cell]) => cell(result))));
  const total = (of: keyof Result): number =>
    results.reduce((sum, result) => sum + (result[of] as number), 0);
  return [
    line(COLUMNS.map(([name]) => name)),
    ...rows,
    `${total('published').toLocaleString('en')} messages published, ${total('unflagged')} lost without a gap`,
  ].join('\n');
}
