#!/usr/bin/env node
// The one bin. Each command is a file that is loaded only when asked for, so that `herald lookup` does not
// wait for the daemons' libraries.

import { Command } from 'commander';
import { StartError } from '../daemon/lifecycle.ts';
import { addAskCommands } from './ask-commands.ts';
import { addDaemonCommands } from './daemon-commands.ts';
import { addPubSubCommands } from './pubsub-commands.ts';
import { addSteerCommands } from './steer-commands.ts';
import { addToolCommands } from './tool-commands.ts';
import { addUpCommand } from './up/up-command.ts';
import { heraldVersion } from './version.ts';

const program = new Command('herald')
  .description('Balances long-lived connections by feedback.')
  .version(heraldVersion())
  .showHelpAfterError('(see herald --help)')
  .showSuggestionAfterError();

addUpCommand(program);
addDaemonCommands(program);
addAskCommands(program);
addSteerCommands(program);
addPubSubCommands(program);
addToolCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  for (const line of error.message.split('\n')) console.error(`herald: ${line}`);
  process.exit(1);
}
