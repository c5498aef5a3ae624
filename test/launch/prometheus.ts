// A real Prometheus (Debian's 2.42) with its data in a folder of its own, scraping given targets each second.
// Ready when `/-/ready` says so.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { stringify } from 'yaml';
import { freePort } from './free-port.ts';
import { commandPath } from './require-server.ts';
import { giveAway, ownFolder, startUnprivileged } from './unprivileged.ts';
import { until } from './until.ts';

export interface PrometheusSeries {
  metric: Record<string, string>;
  /** Epoch seconds and the value as text. */
  value: [number, string];
}

export interface ScrapeJob {
  job: string;
  /** `host:port`. */
  targets: string[];
}

export interface Prometheus {
  url: string;
  /** An instant query. */
  query(expression: string): Promise<PrometheusSeries[]>;
  stop(): Promise<void>;
}

export async function launchPrometheus(jobs: ScrapeJob[], ruleFiles: string[] = []): Promise<Prometheus> {
  const folder = ownFolder('herald-prometheus-');
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: jobs.map(({ job, targets }) => ({ job_name: job, static_configs: [{ targets }] })),
  };
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  giveAway(folder);
  const child = startUnprivileged(
    commandPath('prometheus') ?? 'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { cwd: folder },
  );
  const url = `http://127.0.0.1:${port}`;
  await until(
    'Prometheus',
    async () => {
      if (child.process.exitCode !== null) throw new Error(child.stdout() + child.stderr());
      const reply = await request(`${url}/-/ready`);
      await reply.body.dump();
      return reply.statusCode === 200;
    },
    20_000,
    50,
  );
  return {
    url,
    async query(expression) {
      const reply = await request(
        `${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
      );
      const answer = (await reply.body.json()) as {
        status: string;
        error?: string;
        data?: { result: PrometheusSeries[] };
      };
      if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error ?? 'no reason given'}`);
      return answer.data?.result ?? [];
    },
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
