// Makes a .ts file and what it imports runnable as a child process without a build: types erased into
// .cache, a folder inside the repository so that packages still resolve. A child then starts in a tenth of
// a second, where compiling inside it would cost a second each time.
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

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
    const source = readFileSync(file, 'utf8');
    const { outputText } = ts.transpileModule(source, {
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
    for (const { fileName } of ts.preProcessFile(source).importedFiles) {
      if (fileName.startsWith('.')) visit(resolve(dirname(file), fileName));
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

function runnable(file: string): string {
  return join(OUT, relative(ROOT, file)).replace(/\.ts$/, '.js');
}
