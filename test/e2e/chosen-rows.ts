// Which rows of a table of faults a run is asked for, before anything is started for them.

import { existsSync } from 'node:fs';
import { HERALD_BIN } from '../launch/herald-process.ts';

/** The names in `only`, a list with commas; all rows without it. Ends the process when they cannot be run. */
export function chosenRows(rows: Readonly<Record<string, unknown>>, only: string | undefined): string[] {
  const names = only?.split(',') ?? Object.keys(rows);
  const unknown = names.filter((name) => !Object.hasOwn(rows, name));
  if (unknown.length > 0) {
    console.error(`no row ${unknown.join(', ')}; there are ${Object.keys(rows).join(', ')}`);
    process.exit(2);
  }
  if (!existsSync(HERALD_BIN)) {
    console.error('dist/ is missing: npm run build');
    process.exit(2);
  }
  return names;
}
