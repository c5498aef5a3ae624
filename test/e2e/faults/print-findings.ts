// The fault table as text: one line a fault, then what did not hold and what else was noted.

import type { Finding } from './finding.ts';

export function printFindings(findings: readonly Finding[]): string {
  const head = [
    'fault',
    'times',
    'measured',
    'worst ms',
    'limit ms',
    'late ms',
    'lookups',
    'failed',
    'wrong',
    '',
  ];
  const lines = findings.map((finding) => [
    finding.fault,
    String(finding.times),
    finding.measured,
    String(Math.round(finding.worstMs)),
    Number.isFinite(finding.limitMs) ? String(finding.limitMs) : '-',
    String(Math.round(finding.lateMs)),
    String(finding.lookups),
    String(finding.failed),
    String(finding.wrong),
    finding.breaches.length === 0 ? 'held' : 'BROKEN',
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]!.length)));
  const numbers = new Set([1, 3, 4, 5, 6, 7, 8]);
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (numbers.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const remarks = findings.flatMap(({ fault, breaches, notes }) => [
    ...breaches.map((breach) => `! ${fault}: ${breach}`),
    ...[...new Set(notes)].map((note) => `  ${fault}: ${note}`),
  ]);
  return [row(head), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row), '', ...remarks].join(
    '\n',
  );
}
