// The flags of a daemon command, made from its options, so that help, file, environment and flags can never
// differ.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import type { Config, Option, Options } from '../../daemon/config.ts';
import { envName, flagName, loadConfig, printConfig } from '../../daemon/config.ts';

/** Adds one flag an option, plus `--config` and `--print-config`. */
export function addOptionFlags(command: Command, options: Options): Command {
  // The flags are long: beside them, on a terminal of 80 columns, there would be no room for what they do.
  command.configureHelp({
    formatItem: (term, _width, description, help) => {
      const [margin, indent] = ['  ', '      '];
      const lines = help.boxWrap(description, (help.helpWidth ?? 80) - indent.length).split('\n');
      return [margin + term, ...lines.map((line) => indent + line)].join('\n');
    },
  });
  command.option('--config <file>', 'YAML file of these options, keys as printed by --print-config');
  command.option('--print-config', 'print the configuration that would be used, and exit');
  for (const [key, option] of Object.entries(options)) {
    const help = `${option.help} [${envName(key)}${shownDefault(option)}]`;
    command.addOption(new Flag(`${flagName(key)}${placeholder(option)}`, help));
  }
  return command;
}

function placeholder(option: Option): string {
  switch (option.kind) {
    case 'flag':
      return ' [true|false]';
    case 'number':
      return ' <number>';
    case 'list':
      return ' <list>';
    case 'text':
      return option.choices ? ` <${option.choices.join('|')}>` : ' <text>';
  }
}

function shownDefault(option: Option): string {
  const value = option.kind === 'list' ? option.default.join(',') : String(option.default);
  return value === '' ? '' : `, default ${value}`;
}

/** The configuration from file, environment and flags; undefined when it was only to be printed. */
export function configOf<O extends Options>(
  options: O,
  flags: Record<string, unknown>,
): Config<O> | undefined {
  const config = loadConfig(options, {
    file: flags['config'] as string | undefined,
    env: process.env,
    flags,
  });
  if (flags['printConfig'] !== true) return config;
  process.stdout.write(printConfig(options, config));
  return undefined;
}
