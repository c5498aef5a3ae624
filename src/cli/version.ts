// The version of this package, read from its own manifest.

import { readFileSync } from 'node:fs';

export function heraldVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
