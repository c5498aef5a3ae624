import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: ['dist', 'coverage', 'node_modules', '.cache', 'test/fixtures'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    // One program for all: half the time of the project service, which opens one file after the other.
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Numbers and booleans read well in messages; objects still may not slip in.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // An interface with one method may be met by an async function that awaits nothing.
      '@typescript-eslint/require-await': 'off',
      // `while (true)` with a named exit is clearer than a flag.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Indexing a typed array in a loop whose bound is its length: the check would cost more than it finds.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
      'max-lines': ['warn', { max: 400, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['src/**'],
    rules: {
      // Node 20, the oldest that Herald runs on, has them behind a flag, and @types/node all the same.
      'no-restricted-globals': ['error', 'WebSocket', 'EventSource'],
    },
  },
  {
    files: ['src/cli/**', 'test/**', 'bench/**', 'scripts/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        URLSearchParams: 'readonly',
        AbortSignal: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        module: 'writable',
        Buffer: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    files: ['src/herald/http/page/*.js'],
    languageOptions: {
      globals: {
        document: 'readonly',
        location: 'readonly',
        AbortController: 'readonly',
        sessionStorage: 'readonly',
        TextDecoderStream: 'readonly',
      },
    },
  },
);
