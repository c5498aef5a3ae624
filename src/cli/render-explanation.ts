// An explanation as text: whatever the core kept of a lookup, fields as lines and lists of records as tables,
// so that a new term in the policy shows up here without a change.

type Row = Record<string, unknown>;

export function renderExplanation(value: unknown): string {
  if (typeof value !== 'object' || value === null) return cell(value);
  const lines: string[] = [];
  for (const [name, field] of Object.entries(value)) {
    if (isRows(field)) lines.push('', `${name}:`, ...tableOf(field));
    else lines.push(`${name.padEnd(18)} ${cell(field)}`);
  }
  return lines.join('\n');
}

function isRows(value: unknown): value is Row[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row !== null)
  );
}

function tableOf(rows: Row[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  return cells.map((row) => `  ${row.map((text, i) => text.padEnd(widths[i]!)).join('  ')}`.trimEnd());
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(4);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
