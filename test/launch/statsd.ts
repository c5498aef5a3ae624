// The reference StatsD daemon (npm statsd) as a child process in front of a Graphite, flushing once a second.
// Its configuration is that of the compose file, with other ports. Ready when its management port says so.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePorts } from './free-port.ts';
import { giveAway, ownFolder, startUnprivileged } from './unprivileged.ts';
import { until } from './until.ts';

export interface Statsd {
  /** UDP port on 127.0.0.1. */
  port: number;
  address: string;
  stop(): Promise<void>;
}

const EXAMPLE = resolve(import.meta.dirname, '../../deploy/docker/statsd.json');

export async function launchStatsd(graphiteLinePort: number): Promise<Statsd> {
  const folder = ownFolder('herald-statsd-');
  const [port, managementPort] = (await freePorts(2)) as [number, number];
  const config = {
    ...(JSON.parse(readFileSync(EXAMPLE, 'utf8')) as Record<string, unknown>),
    port,
    mgmt_port: managementPort,
    graphitePort: graphiteLinePort,
  };
  writeFileSync(join(folder, 'config.js'), JSON.stringify(config));
  giveAway(folder);
  const script = createRequire(import.meta.url).resolve('statsd/stats.js');
  const child = startUnprivileged(process.execPath, [script, join(folder, 'config.js')], { cwd: folder });
  await until(
    'StatsD',
    async () => {
      if (child.process.exitCode !== null) throw new Error(child.stdout() + child.stderr());
      return (await askManagement(managementPort, 'health')).includes('up');
    },
    20_000,
    50,
  );
  return {
    port,
    address: `127.0.0.1:${port}`,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function askManagement(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${word}\n`));
    socket.setTimeout(1_000, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      resolve(bytes.toString());
      socket.end('quit\n');
    });
  });
}
