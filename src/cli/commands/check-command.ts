// `herald check <name>`: Sensu and Nagios checks: one line, exit code 0 ok, 1 warning, 2 critical, 3 unknown.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import type { CheckOptions } from '../../checks/run-check.ts';
import { CHECKS, runCheck } from '../../checks/run-check.ts';
import { messageOf } from '../../daemon/thrown.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, publicUrlFlag } from '../flags/herald-flags.ts';
import { decimalNumber, heraldUrl, heraldUrls, wholeNumber } from '../flags/given.ts';
import { brokerReachFlags, brokerReachOf } from '../flags/broker-reach-flags.ts';
import { CONTROL_URL } from './pubsub-commands.ts';

const UNKNOWN = 3;
const MAX_LIMIT = 1e12;
const MAX_TIMEOUT_MS = 600_000;

interface CheckFlags extends AdminFlags, Record<string, unknown> {
  url: string;
  control: string;
  warn?: string;
  crit?: string;
  gateway?: string;
  pool?: string;
  timeout?: string;
}

export function addCheckCommand(program: Command): void {
  const names = Object.entries(CHECKS).map(([name, { help, limits }]) => {
    const defaults = limits === undefined ? '' : `  warn ${limits.warn}, crit ${limits.crit}`;
    return `  ${name}${defaults}\n      ${help}`;
  });
  brokerReachFlags(adminFlags(program.command('check <name>')))
    .description('a Sensu or Nagios check: one line with performance data; exit 0, 1, 2 or 3')
    .addHelpText('after', `\nChecks:\n${names.join('\n')}`)
    .addOption(publicUrlFlag('public URLs of Heralds, with commas'))
    .addOption(
      new Flag('--control <urls>', 'control URLs of Heralds, with commas; the first that answers is asked')
        .env('HERALD_HERALDS')
        .default(CONTROL_URL),
    )
    .option('--warn <number>', 'limit of a warning')
    .option('--crit <number>', 'limit of critical')
    .option('--gateway <id>', 'gateway-load: this gateway alone')
    .option('--pool <pool>', 'this pool alone')
    .option('--timeout <ms>', 'give up after; 5000 unless given')
    // A wrong command line must not look like a warning: to Nagios, exit code 1 is one.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : UNKNOWN))
    .action(async (name: string, flags: CheckFlags) => {
      const { exitCode, line } = await runCheck(name, usableOptions(flags));
      console.log(line);
      // A check may hold sockets; its answer is out, so nothing is waited for.
      process.exit(exitCode);
    });
}

function usableOptions(flags: CheckFlags): CheckOptions {
  try {
    return optionsOf(flags);
  } catch (error) {
    console.log(`HERALD UNKNOWN - ${messageOf(error)}`);
    process.exit(UNKNOWN);
  }
}

function optionsOf(flags: CheckFlags): CheckOptions {
  return {
    publicUrls: heraldUrls('--url', flags.url),
    controlUrls: heraldUrls('--control', flags.control),
    brokerReach: brokerReachOf(flags),
    adminUrl: heraldUrl('--admin', flags.admin),
    ...(flags.token !== undefined && { token: flags.token }),
    ...(flags.warn !== undefined && { warn: decimalNumber('--warn', flags.warn, 0, MAX_LIMIT) }),
    ...(flags.crit !== undefined && { crit: decimalNumber('--crit', flags.crit, 0, MAX_LIMIT) }),
    ...(flags.gateway !== undefined && { gateway: flags.gateway }),
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.timeout !== undefined && {
      timeoutMs: wholeNumber('--timeout', flags.timeout, 1, MAX_TIMEOUT_MS),
    }),
  };
}
