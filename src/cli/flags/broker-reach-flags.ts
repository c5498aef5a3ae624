// The flags of commands that reach brokers themselves: where they are, and the keys of those that encrypt.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import { envName, flagName, loadConfig } from '../../daemon/config.ts';
import { brokerReachOptions } from '../../daemon/options.ts';
import type { BrokerReach } from '../../publisher/broker-reach.ts';
import { brokerReach } from '../../publisher/broker-reach.ts';

export function brokerReachFlags(command: Command): Command {
  for (const [key, { help }] of Object.entries(brokerReachOptions)) {
    command.addOption(new Flag(`${flagName(key)} <text>`, `${help} [${envName(key)}]`));
  }
  return command;
}

/** From flags and environment. Throws a StartError that names the bad one. */
export function brokerReachOf(flags: Record<string, unknown>): BrokerReach {
  return brokerReach(loadConfig(brokerReachOptions, { env: process.env, flags }));
}
