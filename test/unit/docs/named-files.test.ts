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

it('files that architecture.md names in a step carry its number', () => {
  const way = /## The path of the data\n(.*?)\n## /s.exec(readFileSync('docs/architecture.md', 'utf8'))![1]!;
  const steps = way.split(/(?=\*\*[①-⑧] )/).slice(1);
  expect(steps).toHaveLength(8);
  const unnumbered = steps.flatMap((text, index) =>
    [...text.matchAll(/`([\w./-]+\.ts)`/g)]
      .map(([, name]) => name!)
      .filter((name) => !headsOf(name).some((head) => head.includes(`(${index + 1})`))),
  );
  expect(unnumbered).toEqual([]);
});

/** First lines of the files in src that may be meant. */
function headsOf(name: string): string[] {
  const paths = files.filter((path) => path.startsWith('src/') && `/${path}`.endsWith(`/${name}`));
  return paths.map((path) => readFileSync(path, 'utf8').split('\n', 1)[0]!);
}
