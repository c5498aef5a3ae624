// The fan-out benchmark runs and counts, whatever this machine's figures are.

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { requireServer } from '../../launch/require-server.ts';

it.runIf(requireServer('cc'))(
  'the fan-out benchmark measures a gateway and a floor',
  { timeout: 120_000 },
  () => {
    const only = 'broadcast thrifty 512 B,narrow,floor-c at 4 frames of 512 B';
    const args = ['--connections', '200', '--seconds', '1', '--repeats', '1', '--only', only];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['scripts/run-ts.mjs', 'bench/fanout.ts', ...args],
      { encoding: 'utf8', timeout: 110_000 },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = stdout.split('\n').filter((line) => / 512 B {2}|floor-c/.test(line));
    expect(rows.map((row) => row.slice(0, 42).trim())).toEqual([
      'broadcast thrifty 512 B',
      'narrow 350 topics 512 B',
      'floor-c at 4 frames of 512 B a write',
    ]);
    for (const row of rows) {
      const [perSec, , core, usEach] = row
        .slice(42)
        .trim()
        .split(/\s+/)
        .map((figure) => Number(figure.replaceAll(',', '')));
      // Far below what is due: this says that frames arrive, not how fast the machine is.
      expect(perSec).toBeGreaterThan(5_000);
      expect(core).toBeGreaterThan(0);
      expect(usEach).toBeGreaterThan(0);
    }
    expect(stdout).not.toContain('connections were closed');
  },
);
