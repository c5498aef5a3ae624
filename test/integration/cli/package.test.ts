// The package as npm ships it, unpacked in another folder: its SDKs are imported from plain JavaScript, their
// types resolve in TypeScript, its command runs.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../../src/client/core/client-events.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = `
import { connect } from 'herald/client';
import { startReporter } from 'herald/reporter';
import { createPublisher } from 'herald/publisher';
import { CLOSE } from 'herald/protocol';
console.log([connect, startReporter, createPublisher].map((one) => typeof one).join(' '), typeof CLOSE);
`;
const COMMONJS = PROGRAM.replace(/^import (.*) from (.*);$/gm, 'const $1 = require($2);');
const GUIDE = readFileSync(join(ROOT, 'docs/applications.md'), 'utf8');
const TYPED = `
import { WebSocket } from 'ws';
import { connect } from 'herald/client';
import type { startReporter } from 'herald/reporter';
import type { createPublisher } from 'herald/publisher';
export const herald: Parameters<typeof connect>[0]['herald'] = 'http://127.0.0.1:7400';
connect({ herald, webSocket: WebSocket });
connect({ herald, webSocket: globalThis.WebSocket, fetch });
export const gateway: Parameters<typeof startReporter>[0]['gateway'] = 'gw-1';
// @ts-expect-error a list of URLs, not a number
export const heralds: Parameters<typeof createPublisher>[0]['heralds'] = 7401;
`;

const SOURCES = ['typed.ts'];
let app: string;

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'herald-package-'));
  // The build is the one under test; npm must not make another.
  const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', app], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  execFileSync('tar', ['-xzf', join(app, packed.trim()), '-C', app]);
  const packages = join(app, 'node_modules');
  mkdirSync(packages);
  renameSync(join(app, 'package'), join(packages, 'herald'));
  symlinkSync(join(ROOT, 'node_modules'), join(packages, 'herald/node_modules'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(packages, '@types'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  writeFileSync(join(app, 'typed.ts'), TYPED);
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  for (const [, code] of (GUIDE + readme).matchAll(/^```[tj]s\n([^]*?)^```/gm)) {
    writeFileSync(join(app, `guide-${SOURCES.length}.ts`), code!);
    SOURCES.push(`guide-${SOURCES.length}.ts`);
  }
}, 60_000);
afterAll(() => rmSync(app, { recursive: true }));

const node = async (...args: string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: app, timeout: 110_000 });
  return stdout;
};

it('its SDKs are imported from a plain script', async () => {
  writeFileSync(join(app, 'program.mjs'), PROGRAM);
  expect(await node('program.mjs')).toBe('function function function object\n');
});

it('its SDKs are required from a script of CommonJS', async () => {
  writeFileSync(join(app, 'program.cjs'), COMMONJS);
  expect(await node('program.cjs')).toBe('function function function object\n');
});

it('has what its README speaks of, and no maps of sources that stay behind', () => {
  const there = join(app, 'node_modules/herald');
  const links = [...readFileSync(join(there, 'README.md'), 'utf8').matchAll(/\]\(([\w./-]+)/g)];
  const named = links.map(([, path]) => path!);
  // The repository's own pages, for who works on it.
  const missing = named.filter((path) => !existsSync(join(there, path)));
  expect(missing).toEqual(['CONTRIBUTING.md', 'SECURITY.md']);
  const files = readdirSync(join(there, 'dist'), { recursive: true, encoding: 'utf8' });
  expect(files.filter((file) => file.endsWith('.map'))).toEqual([]);
  expect(readFileSync(join(there, 'dist/client/index.js'), 'utf8')).not.toContain('sourceMappingURL');
});

it('its guide lists every option and event of the client', () => {
  const rows = (heading: string): string[] => {
    const table = new RegExp(`^\\| ${heading} \\|[^]*?\\n\\n`, 'm').exec(GUIDE)![0];
    const names = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => [
      ...cell!.matchAll(/`(\w+)`/g),
    ]);
    return names.map(([, name]) => name!).sort();
  };
  const declared = readFileSync(join(ROOT, 'src/client/connect-options.ts'), 'utf8');
  const options = /^export interface ConnectOptions {([^]*?)^}/m.exec(declared)![1]!;
  expect(rows('option')).toEqual([...options.matchAll(/^ {2}(\w+)\??:/gm)].map(([, name]) => name!).sort());
  expect(rows('event')).toEqual([...EVENT_NAMES].sort());
});

it.concurrent.each(['nodenext', 'bundler'])(
  'its types, and the code of its guide and README, resolve with moduleResolution %s',
  async (resolution) => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const flags = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom', '--types', 'node'];
    const resolved = ['--module', module, '--moduleResolution', resolution];
    expect(await node(tsc, ...flags, ...resolved, ...SOURCES)).toBe('');
  },
  120_000,
);

it('its command runs', async () => {
  expect(await node('node_modules/herald/dist/cli/main.js', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
});
