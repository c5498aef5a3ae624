// Builds the two parts of the fan-out benchmark that are in C: the load client and the floor.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const OUT_DIR = resolve('.cache/bench');

/** Path of the program made of bench/fanout-roles/<name>.c; throws when there is no compiler. */
export function build(name: 'load-client' | 'floor'): string {
  mkdirSync(OUT_DIR, { recursive: true });
  const program = join(OUT_DIR, name);
  const source = resolve(`bench/fanout-roles/${name}.c`);
  const { status, error } = spawnSync('cc', ['-O2', '-Wall', '-o', program, source], { stdio: 'inherit' });
  if (error) throw new Error(`the load client is written in C and there is no cc: ${error.message}`);
  if (status !== 0) throw new Error(`cc could not build ${source}`);
  return program;
}
