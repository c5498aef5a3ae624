// How a command prints what it was told: `-o table`, `json` or `ndjson`.

import { Option as Flag } from 'commander';

export type Output = 'table' | 'json' | 'ndjson';

export function outputFlag(): Flag {
  return new Flag('-o, --output <format>', 'how to print')
    .choices(['table', 'json', 'ndjson'])
    .default('table');
}

/** One value: over many lines for people, on one for programs that read line by line. */
export function printJson(value: unknown, output: Output): void {
  console.log(JSON.stringify(value, null, output === 'json' ? 2 : 0));
}
