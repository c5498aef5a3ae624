// The package as npm ships it, unpacked in another folder: its SDKs are imported from plain JavaScript, their
// types resolve in TypeScript, its command runs.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');
const PROGRAM = `
import { connect } from 'herald/client';
import { startReporter } from 'herald/reporter';
import { createPublisher } from 'herald/publisher';
import { CLOSE } from 'herald/protocol';
console.log([connect, startReporter, createPublisher].map((one) => typeof one).join(' '), typeof CLOSE);
`;
const TYPED = `
import type { connect } from 'herald/client';
import type { startReporter } from 'herald/reporter';
import type { createPublisher } from 'herald/publisher';
export const herald: Parameters<typeof connect>[0]['herald'] = 'http://127.0.0.1:7400';
export const gateway: Parameters<typeof startReporter>[0]['gateway'] = 'gw-1';
// @ts-expect-error a list of URLs, not a number
export const heralds: Parameters<typeof createPublisher>[0]['heralds'] = 7401;
`;

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

it.concurrent.each(['nodenext', 'bundler'])(
  'its types resolve with moduleResolution %s',
  async (resolution) => {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
    const flags = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'es2023,dom', '--types', 'node'];
    const resolved = ['--module', module, '--moduleResolution', resolution];
    expect(await node(tsc, ...flags, ...resolved, 'typed.ts')).toBe('');
  },
  120_000,
);

it('its command runs', async () => {
  expect(await node('node_modules/herald/dist/cli/main.js', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
});
