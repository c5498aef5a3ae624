import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (file: string): string => readFileSync(file, 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
// `npm ci` runs it by itself.
const names = Object.keys(scripts).filter((name) => name !== 'prepare');

it.each(names)('`npm run %s` is told to contributors', (name) => {
  const told = `${read('README.md')}${read('CONTRIBUTING.md')}`;
  expect(told).toMatch(new RegExp(`(npm (run )?|\`)${name}\\b(?![:-])`));
});
