// Types and lint rules over one TypeScript program: most rules ask the checker what tsc asks it too, so that two
// processes would work out the same types twice. What has not changed since the last run is taken from .cache.
import { ESLint } from 'eslint';
import ts from 'typescript';

const { getParsedCommandLineOfConfigFile, createIncrementalProgram, formatDiagnosticsWithColorAndContext } =
  ts;
const format = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => process.cwd(),
  getNewLine: () => '\n',
};

const parsed = getParsedCommandLineOfConfigFile(
  'tsconfig.json',
  { incremental: true, tsBuildInfoFile: '.cache/types.tsbuildinfo' },
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic(diagnostic) {
      throw new Error(formatDiagnosticsWithColorAndContext([diagnostic], format));
    },
  },
);
const builder = createIncrementalProgram({ rootNames: parsed.fileNames, options: parsed.options });
const diagnostics = [
  ...parsed.errors,
  ...builder.getOptionsDiagnostics(),
  ...builder.getGlobalDiagnostics(),
  ...builder.getSyntacticDiagnostics(),
  ...builder.getSemanticDiagnostics(),
  // Emits nothing but what the next run needs to know.
  ...builder.emit().diagnostics,
];
if (diagnostics.length > 0) console.log(formatDiagnosticsWithColorAndContext(diagnostics, format));

// A program has no name by which the cache could tell two configurations apart; its options are in tsconfig.json.
const programs = Object.assign([builder.getProgram()], { toJSON: () => 'tsconfig.json' });
const eslint = new ESLint({
  cache: true,
  cacheLocation: '.cache/eslint',
  overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { programs } } },
});
const results = await eslint.lintFiles('.');
const text = (await (await eslint.loadFormatter('stylish')).format(results)).trim();
if (text !== '') console.log(text);
const found = results.reduce((sum, { errorCount, warningCount }) => sum + errorCount + warningCount, 0);
process.exitCode = diagnostics.length > 0 || found > 0 ? 1 : 0;
