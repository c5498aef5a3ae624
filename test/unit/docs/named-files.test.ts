// Whoever reads the documents finds the files they name.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const under = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);
const files = ['src', 'test', 'bench', 'scripts', 'grafana', 'examples'].flatMap(under);
const documents = ['CONTRIBUTING.md', 'README.md', ...under('docs').filter((path) => path.endsWith('.md'))];

it('names of files in the documents are names of files', () => {
  const named = documents.flatMap((document) =>
    [...readFileSync(document, 'utf8').matchAll(/`(?:node )?([\w./-]+\.(?:ts|mjs))\b[^`]*`/g)].map(
      ([, name]) => ({ document, name: name! }),
    ),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ name }) => !files.some((path) => `/${path}`.endsWith(`/${name}`)))).toEqual([]);
});
