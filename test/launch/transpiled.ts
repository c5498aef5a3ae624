// Makes a .ts file and what it imports runnable as a child process without a build: types erased into
// .cache, a folder inside the repository so that packages still resolve. A child then starts in a tenth of
// a second, where compiling inside it would cost a second each time. What is newer than its source is kept, so
// that only the first test that needs a file pays for it.
import { cpSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type TypeScript from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT = join(ROOT, '.cache/transpiled');
/** What this process has transpiled already: sources do not change under a running test. */
const done = new Set<string>();

/** Path of the runnable .js for `entry`, an absolute path below the repository. */
export function transpiled(entry: string): string {
  if (done.has(entry)) return runnable(entry);
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const erased = isFresh(file) ? readFileSync(runnable(file), 'utf8') : erase(file);
    // Only what is left of the imports: files of types alone are not needed.
    for (const [, from, alone] of erased.matchAll(
      /\bfrom\s*['"](\.[^'"]+)['"]|\bimport\s*\(?\s*['"](\.[^'"]+)['"]/g,
    )) {
      visit(resolve(dirname(file), (from ?? alone!).replace(/\.js$/, '.ts')));
    }
  };
  visit(entry);
  // What Herald serves as it is.
  const page = 'src/herald/http/page';
  cpSync(join(ROOT, page), join(OUT, page), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
  done.add(entry);
  return runnable(entry);
}

function erase(file: string): string {
  // Loading the compiler takes a second: only who needs it waits.
  const ts = createRequire(import.meta.url)('typescript') as typeof TypeScript;
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  mkdirSync(dirname(runnable(file)), { recursive: true });
  // A child of another test may be reading it at this moment: it must see it whole.
  const temporary = `${runnable(file)}.${process.pid}`;
  writeFileSync(temporary, outputText);
  renameSync(temporary, runnable(file));
  return outputText;
}

function isFresh(file: string): boolean {
  const made = statSync(runnable(file), { throwIfNoEntry: false });
  return (
    made !== undefined &&
    made.mtimeMs > statSync(file).mtimeMs &&
    made.mtimeMs > statSync(import.meta.filename).mtimeMs
  );
}

function runnable(file: string): string {
  return join(OUT, relative(ROOT, file)).replace(/\.ts$/, '.js');
}
