// Compiles src/ to dist/ and copies the files that are served as they are (the ops page, OpenAPI). The new
// dist/ takes the old one's place only when it is whole, so a failed build leaves the last good one.
// `--if-changed` leaves a dist/ that was built from these very files: npm runs `prepare` more often than one
// would think, for example at the first `npx herald`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const STAMP = '.cache/built-from';
const BUILT_FROM = ['src', 'scripts/build.mjs', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

function fingerprint() {
  const hash = createHash('sha256');
  for (const root of BUILT_FROM) {
    const files = root.includes('.')
      ? [root]
      : readdirSync(root, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .sort();
    for (const file of files) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

const sources = fingerprint();
const isBuilt =
  existsSync('dist/cli/main.js') && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources;
if (process.argv.includes('--if-changed') && isBuilt) process.exit(0);

const fresh = `.cache/dist-${process.pid}`;
const old = `.cache/dist-old-${process.pid}`;
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
mkdirSync('.cache', { recursive: true });
rmSync(STAMP, { force: true });
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
writeFileSync(STAMP, sources);
