// `npm test`: everything, on real parts. Installs what it needs where it may; what it could not run it says
// at the end, and with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { ensurePackages, PACKAGES } from './debian-packages.mjs';
import { nodeBinary } from './node-binaries.mjs';

const ci = process.env.CI === 'true';
const results = '.cache/test';
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const started = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
const notes = [];
const failures = [];

const missing = ensurePackages();
for (const name of missing)
  notes.push(`without the Debian package ${name}, ${PACKAGES[name].needs} cannot run`);

function step(name, command, args, env = {}) {
  const from = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - from) / 1000)} s`);
  if (status !== 0) failures.push(`${name}: ended with ${String(status)}`);
  return status === 0;
}

// What failed is told again at the end, where whoever sees only the end of a long log finds it.
function tellAgain(label, { name: file, message, assertionResults }) {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const where = `${label}: ${relative('.', file)}`;
  for (const test of failed)
    failures.push(`${where} > ${test.fullName}\n${excerpt(test.failureMessages.join('\n'))}`);
  if (failed.length === 0 && message !== '') failures.push(`${where}\n${excerpt(message)}`);
}

const excerpt = (text) => text.split('\n').slice(0, 12).join('\n').slice(0, 1_500);

function vitest(label, node, projects, files = [], env = {}) {
  const report = `${results}/${label.replaceAll(' ', '-')}.json`;
  const ok = step(
    label,
    node,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { HERALD_TEST_NODE: node, ...env },
  );
  if (!existsSync(report)) {
    total.failed += 1;
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  total.passed += numPassedTests;
  total.failed += numFailedTests;
  total.skipped += numPendingTests;
  // A file that could not even be loaded, or an error outside any test, counts too.
  if (!ok && numFailedTests === 0) total.failed += 1;
  for (const file of testResults) {
    tellAgain(label, file);
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'skipped') notes.push(`skipped: ${test.fullName}`);
    }
  }
}

if (!step('build', 'npm', ['run', '--silent', 'build'])) total.failed += 1;
// The unit and property tests follow on their own: their count belongs to the sum.
const steps = ['lint', 'format', 'browser', 'architecture'];
if (!step('check', process.execPath, ['scripts/check.mjs', ...steps])) total.failed += 1;
// What needs no server keeps both cores busy.
vitest('unit, property and sim', process.execPath, ['unit', 'property', 'sim'], [], {
  FUZZ_INPUTS: '200000',
});
vitest('contract', process.execPath, ['contract']);
vitest('integration', process.execPath, ['integration']);
vitest('e2e', process.execPath, ['e2e']);
// Three Heralds on three ZooKeeper servers through every fault, each once; prints the table.
vitest('faults', process.execPath, ['faults']);
// Real clients over six real gateways, by the policy and by round robin side by side; prints its figures.
const balance = ['scripts/run-ts.mjs', 'test/e2e/balance/main.ts', '--short'];
if (step('balance', process.execPath, balance)) total.passed += 1;
else total.failed += 1;
const newer = nodeBinary(24);
if (newer === undefined)
  notes.push(`Node 24 is not to be had here: the spine ran on ${process.version} alone`);
else vitest('spine on Node 24', newer, ['e2e'], ['test/e2e/spine']);

console.log(`\nin ${Math.round((Date.now() - started) / 1000)} s`);
for (const failure of failures) console.log(`\nFAILED ${failure}`);
for (const note of notes) console.log(`!! ${note}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 || (ci && notes.length > 0) ? 1 : 0);
