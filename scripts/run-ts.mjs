// Runs a TypeScript file of bench/ or test/ on every supported Node: node scripts/run-ts.mjs bench/x.ts [args]
// Types are erased by tsc without checking (npm run check does that) into .cache/run.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run-ts.mjs <file.ts> [arguments]');
  process.exit(2);
}
const outDir = resolve('.cache/run');
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
const compiled = spawnSync(
  process.execPath,
  [
    tsc,
    '-p',
    'tsconfig.json',
    '--noEmit',
    'false',
    '--noCheck',
    '--allowImportingTsExtensions',
    'false',
    '--rootDir',
    '.',
    '--outDir',
    outDir,
    '--incremental',
    '--tsBuildInfoFile',
    join(outDir, 'info.tsbuildinfo'),
  ],
  { stdio: 'inherit' },
);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
// What is served or read as it is: the ops page, this package's version.
cpSync('src/herald/http/page', join(outDir, 'src/herald/http/page'), { recursive: true });
cpSync('package.json', join(outDir, 'package.json'));

const child = spawn(process.execPath, [join(outDir, file.replace(/\.ts$/, '.js')), ...args], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
