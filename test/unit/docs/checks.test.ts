import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CHECKS } from '../../../src/checks/run-check.ts';

it('docs/operations.md lists every check with its limits', () => {
  const text = readFileSync('docs/operations.md', 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(CHECKS).sort());
  for (const [row, name, warns, isCritical] of rows) {
    const { limits } = CHECKS[name!]!;
    if (limits === undefined) continue;
    expect(warns, row).toContain(limits.warn.toLocaleString('en'));
    expect(isCritical, row).toContain(limits.crit.toLocaleString('en'));
  }
});
