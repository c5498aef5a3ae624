// Holds src to the rules of .dependency-cruiser.cjs, then holds the rules to their canary. A cruise of
// nothing passes every rule (dependency-cruiser does that when it cannot parse TypeScript), so an empty
// cruise fails, and so does a rule that stays silent over the file that breaks it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const CANARY = 'test/fixtures/architecture-canary';
const { forbidden, options } = createRequire(import.meta.url)(resolve('.dependency-cruiser.cjs'));

/** Modules of src under `baseDir`, and the broken rules as {rule, from, to}. */
async function broken(baseDir) {
  const { output } = await cruise(
    ['src'],
    { ...options, baseDir: resolve(baseDir), ruleSet: { forbidden, options }, validate: true },
    options.enhancedResolveOptions,
    { tsConfig: extractTSConfig(resolve('tsconfig.json')) },
  );
  return {
    modules: output.modules.map(({ source }) => source).filter((source) => source.startsWith('src/')),
    violations: output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}

const complaints = [];

const house = await broken('.');
if (house.modules.length === 0) complaints.push('dependency-cruiser saw no module in src');
for (const { rule, from, to } of house.violations) complaints.push(`${rule}: ${from} -> ${to}`);

const canary = await broken(CANARY);
const promised = new Set();
for (const module of canary.modules) {
  const rule = /^\/\/ breaks: (\S+)/.exec(readText(join(CANARY, module)))?.[1];
  if (rule !== undefined) promised.add(`${rule} in ${module}`);
}
const fired = new Set(canary.violations.map(({ rule, from }) => `${rule} in ${from}`));
for (const { name } of forbidden) {
  if (![...promised].some((one) => one.startsWith(`${name} in `))) {
    complaints.push(`canary: no file breaks ${name}`);
  }
}
for (const one of promised) if (!fired.has(one)) complaints.push(`canary: did not fire: ${one}`);
for (const one of fired) if (!promised.has(one)) complaints.push(`canary: fired unasked: ${one}`);

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exit(1);
console.log(`${house.modules.length} modules keep ${forbidden.length} rules; the canary broke every one`);
