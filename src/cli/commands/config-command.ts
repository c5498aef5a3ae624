// `herald config check|print`: validates a configuration file before a daemon has to.

import type { Command } from 'commander';
import { Argument } from 'commander';
import { bridgeOptions } from '../../broker/bridge/bridge-options.ts';
import { brokerOptions } from '../../broker/config/broker-options.ts';
import type { Config, Options } from '../../daemon/config.ts';
import { envName, loadConfig, printConfig } from '../../daemon/config.ts';
import { nearest } from '../../protocol/nearest.ts';
import { gatewayOptions } from '../../gateway/config/gateway-options.ts';
import { heraldOptions } from '../../herald/config/herald-options.ts';

interface Daemon {
  options: Options;
  load(sources: Parameters<typeof loadConfig>[1]): Config<Options>;
  /**
   * What no single key can tell: throws the StartError that the daemon itself would end with. Resolves with what would
   * not end it and is hardly meant.
   */
  check(file: string): Promise<readonly string[]>;
}

function daemonOf<O extends Options>(
  options: O,
  judge: (config: Config<O>) => Promise<unknown>,
  doubts: (config: Config<O>) => Promise<readonly string[]> = async () => [],
): Daemon {
  return {
    options,
    load: (sources) => loadConfig(options, sources),
    async check(file) {
      const config = loadConfig(options, { file, env: process.env });
      await judge(config);
      return doubts(config);
    },
  };
}

const DAEMONS: Record<string, Daemon> = {
  serve: daemonOf(
    heraldOptions,
    async (config) => (await import('../../herald/config/config-check.ts')).checkConfig(config),
    async (config) => (await import('../../herald/config/config-check.ts')).configDoubts(config),
  ),
  gateway: daemonOf(
    gatewayOptions,
    async (config) => (await import('../../gateway/config/config-check.ts')).checkConfig(config),
    async (config) => (await import('../../gateway/config/config-check.ts')).configDoubts(config),
  ),
  broker: daemonOf(brokerOptions, async (config) =>
    (await import('../../broker/config/config-check.ts')).checkConfig(config),
  ),
  bridge: daemonOf(bridgeOptions, async (config) =>
    (await import('../../broker/bridge/bridge-options.ts')).checkBridgeConfig(config),
  ),
};
const daemon = (): Argument => new Argument('<daemon>', 'whose configuration').choices(Object.keys(DAEMONS));

export function addConfigCommand(program: Command): void {
  const config = program.command('config').description('validate or print a configuration');
  config
    .command('check')
    .addArgument(daemon())
    .argument('<file>', 'YAML file')
    .description(
      'validate a file as the daemon would, with secrets and others from the environment; says the nearest key for an unknown one',
    )
    .action(async (name: string, file: string) => {
      const warn = (doubt: string): void => console.error(`herald: warning: ${doubt}`);
      mistypedVariables(process.env).forEach(warn);
      (await DAEMONS[name]!.check(file)).forEach(warn);
      console.log(`${file}: a valid configuration of herald ${name}`);
    });
  config
    .command('print')
    .addArgument(daemon())
    .argument('[file]', 'YAML file')
    .description('print every option with its value, from defaults, file and environment')
    .action((name: string, file: string | undefined) => {
      const known = DAEMONS[name]!;
      process.stdout.write(printConfig(known.options, known.load({ file, env: process.env })));
    });
}

const PREFIX = 'HERALD_';
/** Of commands that ask, beside the daemons' own. */
const ASKING_VARIABLES = ['HERALD_ADMIN', 'HERALD_PUBLIC', 'HERALD_TOKEN'];

/**
 * Variables that nothing reads and that look like one that is read. Others may share the environment and the prefix,
 * so this is a warning and no refusal.
 */
function mistypedVariables(env: NodeJS.ProcessEnv): string[] {
  const options = Object.values(DAEMONS).flatMap((one) => Object.keys(one.options));
  const known = [...new Set([...options.map(envName), ...ASKING_VARIABLES])].map(withoutPrefix);
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(withoutPrefix(name)))
    .flatMap((name) => {
      const close = nearest(withoutPrefix(name), known);
      return close === undefined ? [] : [`nothing reads ${name}; did you mean ${PREFIX}${close}?`];
    });
}

function withoutPrefix(name: string): string {
  return name.slice(PREFIX.length);
}
