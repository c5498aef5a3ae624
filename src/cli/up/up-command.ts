// `herald up`: everything on one machine, each part its own process: one Herald, gateways, brokers, bots. It
// is the first thing a newcomer runs, so it says what runs where and then shows the balancing at work.

import type { Command } from 'commander';
import { StartError } from '../../daemon/lifecycle.ts';
import { addBotsCommand } from './bots.ts';
import { Family } from './family.ts';
import type { Child } from './family.ts';
import { MAX_UP_DAEMONS, portsOf } from './ports.ts';
import type { UpPorts } from './ports.ts';
import { startShow } from './show.ts';
import { heraldVersion } from '../version.ts';

interface UpFlags {
  gateways: string;
  brokers: string;
  bots: string | false;
  policy?: string;
  zookeeper: string;
  statsd: string;
  portOffset: string;
  squeeze: boolean;
}

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('run everything on this machine: one Herald, gateways, brokers and bot clients')
    .option('--gateways <number>', 'gateway processes', '3')
    .option('--brokers <number>', 'broker processes', '2')
    .option('--bots <number>', 'bot clients that look up, connect and subscribe', '120')
    .option('--no-bots', 'start no bots')
    .option('--policy <name>', 'selection policy')
    .option('--zookeeper <hosts>', 'keep the table in this ZooKeeper instead of in memory', '')
    .option('--statsd <host:port>', 'send metrics to this StatsD receiver', '')
    .option('--port-offset <number>', 'add this to every port', '0')
    .option('--no-squeeze', 'do not squeeze a gateway after 20 s')
    .action(up);
  addBotsCommand(program);
}

async function up(flags: UpFlags): Promise<void> {
  const gatewayCount = countOf('--gateways', flags.gateways, 1, MAX_UP_DAEMONS);
  const brokerCount = countOf('--brokers', flags.brokers, 1, MAX_UP_DAEMONS);
  const botCount = flags.bots === false ? 0 : countOf('--bots', flags.bots, 0, 5_000);
  const ports = portsOf(countOf('--port-offset', flags.portOffset, 0, 50_000));

  let stopShow = (): void => {};
  const family = new Family({
    onTrouble: (line) => console.error(line),
    onDeath: (name, cause) => console.error(`${name} ended: ${cause}`),
  });
  let stopping: Promise<void> | undefined;
  const stop = (exitCode: number): Promise<void> =>
    (stopping ??= (async () => {
      stopShow();
      console.log('stopping');
      await family.end();
      process.exit(exitCode);
    })());
  process.on('SIGINT', () => void stop(0));
  process.on('SIGTERM', () => void stop(0));

  try {
    const { gateways } = await startAll(family, ports, flags, gatewayCount, brokerCount, botCount);
    if (stopping) return;
    printWelcome(ports, flags.zookeeper, gateways, brokerCount, botCount);
    stopShow = startShow({ adminUrl: local(ports.admin), gateways, squeeze: flags.squeeze });
  } catch (error) {
    if (stopping) return;
    await family.end();
    throw error;
  }
}

function countOf(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max) {
    throw new StartError(`${flag} ${text}: expected an integer from ${min} to ${max}`);
  }
  return value;
}

const local = (port: number, scheme = 'http'): string => `${scheme}://127.0.0.1:${port}`;
const listen = (port: number): string => `127.0.0.1:${port}`;

async function startAll(
  family: Family,
  ports: UpPorts,
  flags: UpFlags,
  gatewayCount: number,
  brokerCount: number,
  botCount: number,
): Promise<{ gateways: Child[] }> {
  const env = {
    HERALD_STATSD: flags.statsd,
    HERALD_ZOOKEEPER: flags.zookeeper,
    HERALD_LOG_LEVEL: 'warn',
  };
  const herald = ['serve', '--id', 'herald-1'];
  herald.push('--public-listen', listen(ports.public), '--control-listen', listen(ports.control));
  herald.push('--agent-listen', listen(ports.agent), '--admin-listen', listen(ports.admin));
  if (flags.policy !== undefined) herald.push('--policy', flags.policy);
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

function printWelcome(
  ports: UpPorts,
  zookeeper: string,
  gateways: Child[],
  brokerCount: number,
  botCount: number,
): void {
  const mode = zookeeper === '' ? 'embedded store, one Herald' : `ZooKeeper at ${zookeeper}, one Herald`;
  const brokers = Array.from({ length: brokerCount }, (_, index) => ports.broker(index));
  console.log(`Herald ${heraldVersion()} on Node ${process.versions.node}: ${mode}
${gateways.length} gateways, ${brokerCount} brokers, ${botCount} bots, each daemon its own process

  lookup        ${local(ports.public)}/v1/lookup
  redirect      ${local(ports.public)}/v1/connect
  ops page      ${local(ports.admin)}/
  load table    ${local(ports.admin)}/v1/table
  metrics       ${local(ports.admin)}/metrics
  feedback      ${local(ports.control)}/v1/feedback
  agent-check   tcp://127.0.0.1:${ports.agent}
  gateways      ${gateways.map((_, index) => `${local(ports.gateway(index), 'ws')}/ws`).join('  ')}
  brokers in    ${brokers.map(({ publish }) => local(publish, 'tcp')).join('  ')}
  brokers http  ${brokers.map(({ http }) => `${local(http)}/v1/publish`).join('  ')}

Try: npx herald lookup, npx herald subscribe news, npx herald publish news '"hello"'. Ctrl-C stops everything.
`);
}
