// Makes a .ts file and what it imports runnable as a child process without a build: types erased into
// .cache, a folder inside the repository so that packages still resolve. A child then starts in a tenth of
// a second, where compiling inside it would cost a second each time.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const OUT = join(ROOT, '.cache/transpiled');

/** Path of the runnable .js for `entry`, an absolute path below the repository. */
export function transpiled(entry: string): string {
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
    writeFileSync(runnable(file), outputText);
    for (const { fileName } of ts.preProcessFile(source).importedFiles) {
      if (fileName.startsWith('.')) visit(resolve(dirname(file), fileName));
    }
  };
  visit(entry);
  // What Herald serves as it is.
  const page = 'src/herald/http/page';
  cpSync(join(ROOT, page), join(OUT, page), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(OUT, 'package.json'));
  return runnable(entry);
}

function runnable(file: string): string {
  return join(OUT, relative(ROOT, file)).replace(/\.ts$/, '.js');
}
