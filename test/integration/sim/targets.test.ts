// The targets table of docs/policy.md on the real policy module: bench/sim-targets.ts with three seeds, on
// two processes. Everything is seeded, so a row that fails does so every time.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Checked } from '../../../bench/sim-targets.ts';

const run = promisify(execFile);

it(
  'holds every row of the targets table, and every baseline is as bad as it must be',
  { timeout: 600_000 },
  async () => {
    const script = ['scripts/run-ts.mjs', 'bench/sim-targets.ts', '--json'];
    const { stdout } = await run(process.execPath, script, { maxBuffer: 1 << 24 }).catch((error: unknown) => {
      // A missed target ends the script with 1 and its rows on stdout; anything else is a broken run.
      const { stdout } = error as { stdout?: string };
      if (stdout?.startsWith('[')) return { stdout };
      throw error;
    });
    const rows = JSON.parse(stdout) as Checked[];
    console.table(
      rows.map(({ values, ...row }) => ({ ...row, values: values.map((v) => v.toFixed(3)).join(' ') })),
    );
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => !row.holds)).toEqual([]);
  },
);
