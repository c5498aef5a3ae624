#!/usr/bin/env node
// The one bin. Each command is a file that is loaded only when asked for, so that `herald lookup` does not
// wait for the daemons' libraries.

import { Command } from 'commander';
import { inOneLine, StartError } from '../daemon/lifecycle.ts';
import { tellParent } from './parent.ts';
import { heraldVersion } from './version.ts';

const program = new Command('herald')
  .description('Balances long-lived connections by feedback.')
  .version(heraldVersion())
  .showSuggestionAfterError()
  .configureOutput({
    // Its words may take several lines, what was typed may not.
    outputError: (text, write) =>
      write(process.argv.reduce((all, typed) => all.replaceAll(typed, () => inOneLine(typed)), text)),
  });

interface Group {
  title: string;
  commands: readonly string[];
  add: () => Promise<(program: Command) => void>;
}

/** Loaded only when asked for: a Herald that starts must answer within a second, and half of that is loading. */
const GROUPS: Group[] = [
  {
    title: 'Everything on this machine:',
    commands: ['up', 'bots'],
    add: async () => (await import('./up/up-command.ts')).addUpCommand,
  },
  {
    title: 'Daemons:',
    commands: ['serve', 'gateway', 'broker', 'bridge'],
    add: async () => (await import('./commands/daemon-commands.ts')).addDaemonCommands,
  },
  {
    title: 'Ask a running Herald:',
    commands: ['lookup', 'explain'],
    add: async () => (await import('./commands/ask-commands.ts')).addAskCommands,
  },
  {
    title: 'Watch the load table:',
    commands: ['table', 'top'],
    add: async () => (await import('./commands/table-commands.ts')).addTableCommands,
  },
  {
    title: 'Steer gateways:',
    commands: ['drain', 'ready', 'maint', 'mover'],
    add: async () => (await import('./commands/steer-commands.ts')).addSteerCommands,
  },
  {
    title: 'Publish and subscribe:',
    commands: ['publish', 'subscribe'],
    add: async () => (await import('./commands/pubsub-commands.ts')).addPubSubCommands,
  },
  {
    title: 'Tools:',
    commands: ['sim', 'record', 'check', 'config', 'haproxy', 'keys'],
    add: async () => (await import('./commands/tool-commands.ts')).addToolCommands,
  },
];
const asked = process.argv[2] ?? '';
const wanted = GROUPS.filter(({ commands }) => commands.includes(asked));
// Help and typing errors want to know them all.
for (const { title, add } of wanted.length > 0 ? wanted : GROUPS) {
  program.commandsGroup(title);
  (await add())(program);
}
for (const command of program.commands) {
  command.showHelpAfterError(`(see herald ${command.name()} --help)`);
}
program.showHelpAfterError('(see herald --help)');

// Whoever reads our output may stop reading: `herald table --watch | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  // A full disk does not end the fleet, which prints again when there is room; any other command has failed.
  if (asked === 'up') return;
  console.error(`herald: cannot print: ${error.message}`);
  process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  const { message, exitCode } = error;
  tellParent({ says: 'failed', message, exitCode });
  for (const line of message.split('\n')) console.error(`herald: ${line}`);
  process.exit(exitCode);
}
