// `npm run check`: everything that needs no server. Two steps at a time, the long ones first, each with its
// time; a failed step prints what it said. Names given as arguments run those steps alone.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';

const LANES = 2;

/** The script behind a package's command, so that no step pays for npx. */
function command(packageName, name = packageName) {
  const manifest = packagePath(packageName);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[name]);
}

function packagePath(packageName) {
  const { resolve } = createRequire(import.meta.url);
  // Some packages do not export their package.json: look beside the entry point's node_modules folder.
  for (const folder of resolve.paths(packageName)) {
    try {
      return resolve(join(folder, packageName, 'package.json'));
    } catch {
      // Not in this folder; the next one up.
    }
  }
  throw new Error(`${packageName} is not installed; run npm ci`);
}

const tsc = (project) => [
  command('typescript', 'tsc'),
  ...['-p', project, '--incremental', '--tsBuildInfoFile', `.cache/${project}.tsbuildinfo`],
];
const STEPS = {
  lint: ['scripts/types-and-rules.mjs'],
  tests: [command('vitest'), 'run', '--project', 'unit', '--project', 'property', '--reporter=dot'],
  format: [command('prettier'), '--check', '.', '--cache', '--cache-location', '.cache/prettier'],
  browser: tsc('tsconfig.browser.json'),
  architecture: ['scripts/architecture.mjs'],
  types: tsc('tsconfig.json'),
};
/** `lint` says what `types` says. */
const ALL = Object.keys(STEPS).filter((name) => name !== 'types');

function run(name) {
  const startMs = performance.now();
  const child = spawn(process.execPath, STEPS[name], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  child.stderr.on('data', (data) => (said += data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = ((performance.now() - startMs) / 1_000).toFixed(1).padStart(5);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${name}`);
      if (code !== 0) console.log(said.trimEnd());
      resolve(code === 0);
    });
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  console.error(`unknown step ${unknown.join(', ')}; known: ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
mkdirSync('.cache', { recursive: true });
const queue = wanted.length > 0 ? wanted : ALL;
const startMs = performance.now();
let failed = 0;
async function lane() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift())
    if (!(await run(name))) failed += 1;
}
await Promise.all(Array.from({ length: LANES }, lane));
const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
console.log(failed === 0 ? `all good in ${seconds} s` : `${failed} failed, ${seconds} s`);
process.exitCode = failed === 0 ? 0 : 1;
