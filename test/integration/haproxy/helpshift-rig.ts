// What the tests of `herald serve --helpshift` start from: a Herald with files of helpshift/herald, and the service
// whose health such a file asks for.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { HeraldConfig } from '../../../src/herald/config/herald-options.ts';
import { httpServer } from '../../launch/http-server.ts';
import type { OneHerald } from '../herald/one-herald.ts';
import { oneHerald } from '../herald/one-herald.ts';

/** The configuration of the original's README, with its address and URL as a test needs them. */
export const README_EXAMPLE = (port: number, url: string): string => `---
name: myservice
bind: 127.0.0.1
port: ${port}
plugins_dir: /etc/herald/plugins
plugins:
  - name: myservice_plugin
    herald_plugin_name: herald_http
    url: '${url}'
    is_json: yes
    stop_timeout: 60
    interval: 30
    staleness_interval: 120
    staleness_response: noop
    thresholds_metric: "r['msg-pre-second']"
    thresholds:
      - pct: 7000
        min_threshold_response: 1
    default_response: noop
`;

/** Where a test may put files. */
export let folder: string;
export const cleanUps: (() => unknown)[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'herald-helpshift-'))));
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

export async function herald(...files: string[]): Promise<OneHerald> {
  return heraldWith({}, ...files);
}

export async function heraldWith(options: Partial<HeraldConfig>, ...files: string[]): Promise<OneHerald> {
  const paths = files.map((text, i) => {
    const path = join(folder, `config-${i}.yml`);
    writeFileSync(path, text);
    return path;
  });
  const started = await oneHerald({ helpshift: paths, ...options });
  cleanUps.push(() => started.close());
  return started;
}

/** A service with a health check; `answer` may be changed while it runs. */
export async function service(
  answer: RequestListener,
): Promise<{ url: string; answer: RequestListener; asked: () => number }> {
  let asked = 0;
  const self = { url: '', answer, asked: () => asked };
  const server = await httpServer((request, response) => {
    asked += 1;
    self.answer(request, response);
  });
  self.url = `${server.url}/health_check`;
  cleanUps.push(() => server.close());
  return self;
}

export const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    response.end(JSON.stringify(value));
