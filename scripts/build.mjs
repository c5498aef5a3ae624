// Compiles src/ to dist/ and copies the files that are served as they are (the ops page, OpenAPI). The new
// dist/ takes the old one's place only when it is whole, so a failed build leaves the last good one.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const fresh = `.cache/dist-${process.pid}`;
const old = `.cache/dist-old-${process.pid}`;
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
mkdirSync('.cache', { recursive: true });
process.on('exit', () => {
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
});

const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
  const from = join(entry.parentPath, entry.name);
  cpSync(from, join(fresh, from.slice('src/'.length)));
}
chmodSync(join(fresh, 'cli/main.js'), 0o755);

try {
  renameSync('dist', old);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
renameSync(fresh, 'dist');
