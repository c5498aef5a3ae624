// `herald check <name>`: Sensu and Nagios checks: one line, exit code 0 ok, 1 warning, 2 critical, 3 unknown.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import type { CheckOptions } from '../checks/run-check.ts';
import { CHECKS, runCheck } from '../checks/run-check.ts';
import { ADMIN_URL, PUBLIC_URL } from './ask-commands.ts';
import { CONTROL_URL } from './pubsub-commands.ts';

interface CheckFlags {
  url: string;
  control: string;
  admin: string;
  token?: string;
  warn?: string;
  crit?: string;
  gateway?: string;
  pool?: string;
  timeout?: string;
}

export function addCheckCommand(program: Command): void {
  const names = Object.entries(CHECKS).map(([name, { help, limits }]) => {
    const defaults = limits === undefined ? '' : ` (warn ${limits.warn}, crit ${limits.crit})`;
    return `  ${name.padEnd(14)} ${help}${defaults}`;
  });
  program
    .command('check <name>')
    .description('a Sensu or Nagios check: one line with performance data; exit 0, 1, 2 or 3')
    .addHelpText('after', `\nChecks:\n${names.join('\n')}`)
    .addOption(new Flag('--url <url>', 'public URL of a Herald').env('HERALD_URL').default(PUBLIC_URL))
    .addOption(
      new Flag('--control <url>', 'control URL of a Herald').env('HERALD_HERALDS').default(CONTROL_URL),
    )
    .addOption(new Flag('--admin <url>', 'admin URL of a Herald').env('HERALD_ADMIN').default(ADMIN_URL))
    .addOption(new Flag('--token <token>', 'admin token').env('HERALD_ADMIN_TOKEN'))
    .option('--warn <number>', 'limit of a warning')
    .option('--crit <number>', 'limit of critical')
    .option('--gateway <id>', 'gateway-load: this gateway alone')
    .option('--pool <pool>', 'this pool alone')
    .option('--timeout <ms>', 'give up after')
    .action(async (name: string, flags: CheckFlags) => {
      const { exitCode, line } = await runCheck(name, optionsOf(flags));
      console.log(line);
      // A check may hold sockets; its answer is out, so nothing is waited for.
      process.exit(exitCode);
    });
}

function optionsOf(flags: CheckFlags): CheckOptions {
  return {
    publicUrl: flags.url,
    controlUrl: flags.control,
    adminUrl: flags.admin,
    ...(flags.token !== undefined && { token: flags.token }),
    ...(flags.warn !== undefined && { warn: Number(flags.warn) }),
    ...(flags.crit !== undefined && { crit: Number(flags.crit) }),
    ...(flags.gateway !== undefined && { gateway: flags.gateway }),
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.timeout !== undefined && { timeoutMs: Number(flags.timeout) }),
  };
}
