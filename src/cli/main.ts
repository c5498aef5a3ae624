#!/usr/bin/env node
// The one bin. Each command is a file that is loaded only when asked for, so that `herald lookup` does not
// wait for the daemons' libraries.

import { Command } from 'commander';
import { StartError } from '../daemon/lifecycle.ts';
import { heraldVersion } from './version.ts';

const program = new Command('herald')
  .description('Balances long-lived connections by feedback.')
  .version(heraldVersion())
  .showHelpAfterError('(see herald --help)')
  .showSuggestionAfterError();

/** Loaded only when asked for: a Herald that starts must answer within a second, and half of that is loading. */
const FILES: { commands: readonly string[]; add: () => Promise<(program: Command) => void> }[] = [
  { commands: ['up', 'bots'], add: async () => (await import('./up/up-command.ts')).addUpCommand },
  {
    commands: ['serve', 'gateway', 'broker', 'bridge'],
    add: async () => (await import('./daemon-commands.ts')).addDaemonCommands,
  },
  {
    commands: ['lookup', 'table', 'top', 'explain'],
    add: async () => (await import('./ask-commands.ts')).addAskCommands,
  },
  {
    commands: ['drain', 'ready', 'maint'],
    add: async () => (await import('./steer-commands.ts')).addSteerCommands,
  },
  {
    commands: ['publish', 'subscribe'],
    add: async () => (await import('./pubsub-commands.ts')).addPubSubCommands,
  },
  {
    commands: ['sim', 'record', 'check', 'config', 'haproxy', 'keys'],
    add: async () => (await import('./tool-commands.ts')).addToolCommands,
  },
];
const asked = process.argv[2] ?? '';
const wanted = FILES.filter(({ commands }) => commands.includes(asked));
// Help and typing errors want to know them all.
for (const { add } of wanted.length > 0 ? wanted : FILES) (await add())(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  for (const line of error.message.split('\n')) console.error(`herald: ${line}`);
  process.exit(1);
}
