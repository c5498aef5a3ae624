// `herald up`: everything on one machine, each part its own process: one Herald, gateways, brokers, bots. It
// is the first thing a newcomer runs, so it says what runs where and then shows the balancing at work.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import { heraldOptions } from '../../herald/config/herald-options.ts';
import { parseDurationMs } from '../flags/duration.ts';
import { wholeNumber } from '../flags/given.ts';
import { addBotsCommand } from './bots.ts';
import type { Child } from './family.ts';
import { Family } from './family.ts';
import { local, MAX_UP_DAEMONS, portsOf } from './ports.ts';
import type { UpPorts } from './ports.ts';
import { createShow } from './show.ts';
import type { Welcome } from './welcome.ts';
import { welcome } from './welcome.ts';

interface UpFlags {
  gateways: string;
  brokers: string;
  bots: string | false;
  policy: string;
  zookeeper: string;
  statsd: string;
  portOffset: string;
  squeeze: boolean;
  squeezeAfter: string;
  restart: boolean;
  restartAfter: string;
}

const MAX_BOTS = 5_000;
const MAX_PORT_OFFSET = 50_000;

export function addUpCommand(program: Command): void {
  const { policy } = heraldOptions;
  program
    .command('up')
    .description('run everything on this machine: one Herald, gateways, brokers and bot clients')
    .option('--gateways <number>', `gateway processes, 1 to ${MAX_UP_DAEMONS}`, '3')
    .option('--brokers <number>', `broker processes, 1 to ${MAX_UP_DAEMONS}`, '2')
    .option('--bots <number>', 'bot clients that look up, connect and subscribe', '120')
    .option('--no-bots', 'start no bots')
    .addOption(
      new Flag('--policy <name>', 'how Herald chooses')
        .choices(policy.choices ?? [])
        .env('HERALD_POLICY')
        .default(policy.default),
    )
    .addOption(
      new Flag('--zookeeper <hosts>', 'host:port of a ZooKeeper to keep the table in').default(
        '',
        'in memory',
      ),
    )
    .addOption(new Flag('--statsd <host:port>', 'send metrics to this StatsD receiver').default('', 'none'))
    .option('--port-offset <number>', 'add this to every port', '0')
    .option('--squeeze-after <duration>', 'squeeze a gateway after this long, to show what happens', '20s')
    .option('--no-squeeze', 'do not squeeze a gateway')
    // Long enough to watch the others take over.
    .option('--restart-after <duration>', 'start again what dies after this long', '10s')
    .option('--no-restart', 'do not start again what dies')
    .action(up);
  addBotsCommand(program);
}

async function up(flags: UpFlags): Promise<void> {
  const counts = {
    gatewayCount: wholeNumber('--gateways', flags.gateways, 1, MAX_UP_DAEMONS),
    brokerCount: wholeNumber('--brokers', flags.brokers, 1, MAX_UP_DAEMONS),
    botCount: flags.bots === false ? 0 : wholeNumber('--bots', flags.bots, 0, MAX_BOTS),
  };
  const offset = wholeNumber('--port-offset', flags.portOffset, 0, MAX_PORT_OFFSET);
  const restartAfterMs = parseDurationMs(flags.restartAfter, '--restart-after', '1d');
  const squeezeAfterMs = parseDurationMs(flags.squeezeAfter, '--squeeze-after', '1d');
  const ports = portsOf(offset);

  let stopping: Promise<void> | undefined;
  const show = createShow();
  const family = new Family(
    {
      onTrouble: (line) => show.say(line),
      onDeath(name, cause, againInMs) {
        const again = againInMs === undefined ? '' : `; starting it again in ${againInMs / 1_000} s`;
        show.say(`${name} ended: ${cause}${again}`);
      },
      onReturn: (name) => show.say(`${name} is back`),
    },
    flags.restart ? restartAfterMs : undefined,
  );
  const stop = (): void => {
    // Asked twice, nobody wants to wait.
    if (stopping) {
      family.kill();
      return;
    }
    stopping = (async () => {
      const startedMs = performance.now();
      show.close();
      console.log('stopping');
      await family.end();
      console.log(`all stopped after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
      process.exit(0);
    })();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // A terminal that closes says it twice.
  process.on('SIGHUP', () => {
    if (!stopping) stop();
  });

  console.log('starting ...');
  try {
    const { gateways } = await startAll(family, ports, flags, counts);
    if (stopping) return;
    console.log(welcome({ ports, offset, zookeeper: flags.zookeeper, ...counts }));
    const token = process.env['HERALD_ADMIN_TOKEN'];
    const admin = { url: local(ports.admin), ...(token !== undefined && { token }) };
    show.begin({ admin, gateways, squeezeAfterMs: flags.squeeze ? squeezeAfterMs : undefined });
  } catch (error) {
    if (stopping) return;
    await family.end();
    throw error;
  }
}

const listen = (port: number): string => `127.0.0.1:${port}`;

async function startAll(
  family: Family,
  ports: UpPorts,
  flags: UpFlags,
  { gatewayCount, brokerCount, botCount }: Pick<Welcome, 'gatewayCount' | 'brokerCount' | 'botCount'>,
): Promise<{ gateways: Child[] }> {
  const env = {
    HERALD_STATSD: flags.statsd,
    HERALD_ZOOKEEPER: flags.zookeeper,
    HERALD_LOG_LEVEL: 'warn',
  };
  const herald = ['serve', '--id', 'herald-1'];
  herald.push('--public-listen', listen(ports.public), '--control-listen', listen(ports.control));
  herald.push('--agent-listen', listen(ports.agent), '--admin-listen', listen(ports.admin));
  herald.push('--policy', flags.policy);
  if (flags.zookeeper !== '') herald.push('--store', 'zookeeper');
  await family.start('herald-1', herald, env);

  const heralds = ['--heralds', local(ports.control)];
  const brokers = Array.from({ length: brokerCount }, (_, index) => {
    const { publish, subscribe, repair, http } = ports.broker(index);
    const listens = ['--publish-listen', listen(publish), '--subscribe-listen', listen(subscribe)];
    listens.push('--repair-listen', listen(repair), '--http-listen', listen(http));
    return family.start(
      `broker-${index + 1}`,
      ['broker', '--id', `broker-${index + 1}`, ...heralds, ...listens],
      env,
    );
  });
  await settled(brokers);
  const gateways = Array.from({ length: gatewayCount }, (_, index) => {
    const port = ports.gateway(index);
    const args = [
      'gateway',
      '--id',
      `gateway-${index + 1}`,
      '--listen',
      listen(port),
      '--url',
      `${local(port, 'ws')}/ws`,
    ];
    return family.start(`gateway-${index + 1}`, [...args, ...heralds], env);
  });
  const started = await settled(gateways);
  if (botCount > 0) {
    const args = [
      'bots',
      '--url',
      local(ports.public),
      '--control',
      local(ports.control),
      '--bots',
      String(botCount),
    ];
    await family.start('bots', args, env);
  }
  return { gateways: started };
}

/** Waits for all before it fails, so that no child is left half started. */
async function settled(children: Promise<Child>[]): Promise<Child[]> {
  const results = await Promise.allSettled(children);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
