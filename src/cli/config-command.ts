// `herald config check|print`: validates a configuration file before a daemon has to.

import type { Command } from 'commander';
import { Argument } from 'commander';
import { brokerOptions } from '../broker/broker-options.ts';
import type { Options } from '../daemon/config.ts';
import { loadConfig, printConfig } from '../daemon/config.ts';
import { gatewayOptions } from '../gateway/gateway-options.ts';
import { heraldOptions } from '../herald/herald-options.ts';

const DAEMONS: Record<string, Options> = {
  serve: heraldOptions,
  gateway: gatewayOptions,
  broker: brokerOptions,
};
const daemon = (): Argument => new Argument('<daemon>', 'whose configuration').choices(Object.keys(DAEMONS));

export function addConfigCommand(program: Command): void {
  const config = program.command('config').description('validate or print a configuration');
  config
    .command('check')
    .addArgument(daemon())
    .argument('<file>', 'YAML file')
    .description('validate a file; says the nearest key for an unknown one')
    .action((name: string, file: string) => {
      loadConfig(DAEMONS[name]!, { file });
      console.log(`${file}: a valid configuration of herald ${name}`);
    });
  config
    .command('print')
    .addArgument(daemon())
    .argument('[file]', 'YAML file')
    .description('print every option with its value, from defaults, file and environment')
    .action((name: string, file: string | undefined) => {
      const options = DAEMONS[name]!;
      process.stdout.write(printConfig(options, loadConfig(options, { file, env: process.env })));
    });
}
