// A real Graphite (Debian's graphite-carbon and graphite-web) in a folder of its own, on free loopback
// ports: carbon-cache takes lines, graphite-web answers `/render`. Tags are on. Ready when a line written to
// carbon can be read back through the web.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { request } from 'undici';
import type { Child } from './child.ts';
import { freePorts } from './free-port.ts';
import { commandPath } from './require-server.ts';
import { giveAway, ownFolder, startUnprivileged } from './unprivileged.ts';
import { until } from './until.ts';

export interface GraphiteSeries {
  target: string;
  tags: Record<string, string>;
  /** Value and epoch seconds; null where nothing was stored. */
  datapoints: [number | null, number][];
}

export interface Graphite {
  /** Port of carbon's line protocol. */
  linePort: number;
  url: string;
  /** What `/render` answers for one target over the last `seconds`. */
  render(target: string, seconds?: number): Promise<GraphiteSeries[]>;
  stop(): Promise<void>;
}

export async function launchGraphite(): Promise<Graphite> {
  const folder = ownFolder('herald-graphite-');
  const [linePort, picklePort, queryPort, webPort] = (await freePorts(4)) as [number, number, number, number];
  writeConfig(folder, { linePort, picklePort, queryPort, webPort });
  giveAway(folder);

  const env = { PYTHONPATH: folder, GRAPHITE_SETTINGS_MODULE: 'herald_graphite', PYTHONWARNINGS: 'ignore' };
  const manage = (...args: string[]): Child =>
    startUnprivileged('graphite-manage', args, { cwd: folder, env });
  const migration = manage('migrate', '--run-syncdb', '--verbosity', '0');
  if ((await migration.exited) !== 0)
    throw new Error(`graphite-manage migrate failed:\n${migration.stderr()}`);
  const web = manage('runserver', '--noreload', '--nothreading', `127.0.0.1:${webPort}`);
  const carbon = startUnprivileged(
    commandPath('carbon-cache') ?? 'carbon-cache',
    [`--config=${join(folder, 'carbon.conf')}`, '--nodaemon', 'start'],
    { cwd: folder },
  );

  const url = `http://127.0.0.1:${webPort}`;
  const render = async (target: string, seconds = 60): Promise<GraphiteSeries[]> => {
    const query = new URLSearchParams({ target, format: 'json', from: `-${seconds}s`, noCache: 'true' });
    const reply = await request(`${url}/render?${query.toString()}`, {
      headersTimeout: 10_000,
      bodyTimeout: 10_000,
    });
    const body = await reply.body.text();
    if (reply.statusCode !== 200) throw new Error(`${target}: ${reply.statusCode} ${body.slice(0, 300)}`);
    return JSON.parse(body) as GraphiteSeries[];
  };
  const stop = async (): Promise<void> => {
    await Promise.all([web.stop(), carbon.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(
      'Graphite to give back what it was told',
      async () => {
        for (const child of [web, carbon]) {
          if (child.process.exitCode !== null) throw new Error(child.stdout() + child.stderr());
        }
        await writeLine(linePort, `herald.launch;probe=yes 1 ${Math.floor(Date.now() / 1_000)}`);
        return (await render("seriesByTag('name=herald.launch')")).length > 0;
      },
      40_000,
      200,
    );
  } catch (error) {
    const said = [web, carbon].map((child) => child.stdout().slice(-2_000) + child.stderr().slice(-2_000));
    await stop();
    throw new Error(`${(error as Error).message}\n${said.join('\n')}`, { cause: error });
  }
  return { linePort, url, render, stop };
}

interface Ports {
  linePort: number;
  picklePort: number;
  queryPort: number;
  webPort: number;
}

function writeConfig(folder: string, { linePort, picklePort, queryPort, webPort }: Ports): void {
  for (const name of ['whisper', 'log', 'run']) mkdirSync(join(folder, name));
  const files: Record<string, string[]> = {
    'carbon.conf': [
      '[cache]',
      `STORAGE_DIR = ${folder}`,
      `CONF_DIR = ${folder}`,
      `LOCAL_DATA_DIR = ${folder}/whisper`,
      `LOG_DIR = ${folder}/log`,
      `PID_DIR = ${folder}/run`,
      'USER =',
      'MAX_CREATES_PER_MINUTE = inf',
      'MAX_UPDATES_PER_SECOND = inf',
      'LINE_RECEIVER_INTERFACE = 127.0.0.1',
      `LINE_RECEIVER_PORT = ${linePort}`,
      'PICKLE_RECEIVER_INTERFACE = 127.0.0.1',
      `PICKLE_RECEIVER_PORT = ${picklePort}`,
      'CACHE_QUERY_INTERFACE = 127.0.0.1',
      `CACHE_QUERY_PORT = ${queryPort}`,
      'ENABLE_TAGS = True',
      'TAG_UPDATE_INTERVAL = 1',
      'TAG_BATCH_SIZE = 100',
      `GRAPHITE_URL = http://127.0.0.1:${webPort}`,
    ],
    'storage-schemas.conf': ['[all]', 'pattern = .*', 'retentions = 1s:10m'],
    'storage-aggregation.conf': ['[all]', 'pattern = .*', 'xFilesFactor = 0', 'aggregationMethod = average'],
    'herald_graphite.py': [
      "SECRET_KEY = 'only for the tests of this folder'",
      "ALLOWED_HOSTS = ['*']",
      "TIME_ZONE = 'UTC'",
      'DEBUG = False',
      `STORAGE_DIR = '${folder}'`,
      `CONF_DIR = '${folder}'`,
      `LOG_DIR = '${folder}/log'`,
      `WHISPER_DIR = '${folder}/whisper'`,
      "STANDARD_DIRS = ['" + folder + "/whisper']",
      `INDEX_FILE = '${folder}/index'`,
      `CARBONLINK_HOSTS = ['127.0.0.1:${queryPort}']`,
      "TAGDB = 'graphite.tags.localdatabase.LocalDatabaseTagDB'",
      `DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '${folder}/graphite.db'}}`,
    ],
  };
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  }
}

function writeLine(port: number, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(`${line}\n`));
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}
