// `herald lookup`, `table`, `top`, `explain`: questions to a running Herald.

import type { Command } from 'commander';
import { Option as Flag } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LookupReply } from '../protocol/lookup.ts';
import { encodeLookupQuery } from '../protocol/lookup.ts';
import { LABEL_KEY_PATTERN } from '../protocol/names.ts';
import type { TableSnapshot } from '../herald/core/balancer-types.ts';
import { StartError } from '../daemon/lifecycle.ts';
import type { Target } from './admin-api.ts';
import { askSuccess } from './admin-api.ts';
import { LiveScreen } from './live-screen.ts';
import { renderExplanation } from './render-explanation.ts';
import { renderTable } from './render-table.ts';

export const PUBLIC_URL = 'http://127.0.0.1:7400';
export const ADMIN_URL = 'http://127.0.0.1:7403';

type Output = 'table' | 'json' | 'ndjson';

export function adminFlags(command: Command): Command {
  return command
    .addOption(new Flag('--admin <url>', 'admin URL of a Herald').env('HERALD_ADMIN').default(ADMIN_URL))
    .addOption(
      new Flag('--token <token>', 'admin token, where Herald asks for one').env('HERALD_ADMIN_TOKEN'),
    );
}

export function adminTarget(flags: { admin: string; token?: string }): Target {
  return { url: flags.admin, ...(flags.token !== undefined && { token: flags.token }) };
}

const output = (): Flag =>
  new Flag('-o, --output <format>', 'how to print').choices(['table', 'json', 'ndjson']).default('table');

export function addAskCommands(program: Command): void {
  program
    .command('lookup')
    .description('ask which gateway to connect to')
    .addOption(new Flag('--url <url>', 'public URL of a Herald').env('HERALD_URL').default(PUBLIC_URL))
    .option('--pool <pool>', 'pool of gateways')
    .option('--zone <zone>', 'preferred zone')
    .option('--label <key=value...>', 'required label')
    .option('--key <key>', 'affinity key')
    .option('--exclude <gateway...>', 'gateways not to be named')
    .option('--alternates <number>', 'how many alternates')
    .addOption(output())
    .action(lookup);

  adminFlags(program.command('table').description('print the load table'))
    .option('--pool <pool>', 'this pool alone')
    .option('-w, --watch', 'print again each second')
    .addOption(output())
    .action(table);

  adminFlags(program.command('top').description('watch the load table live'))
    .option('--pool <pool>', 'this pool alone')
    .action(top);

  adminFlags(program.command('explain <lookupId>').description('why a lookup was answered as it was'))
    .addOption(output())
    .action(explain);
}

interface LookupFlags {
  url: string;
  pool?: string;
  zone?: string;
  label?: string[];
  key?: string;
  exclude?: string[];
  alternates?: string;
  output: Output;
}

async function lookup(flags: LookupFlags): Promise<void> {
  const query = encodeLookupQuery({
    ...(flags.pool !== undefined && { pool: flags.pool }),
    ...(flags.zone !== undefined && { zone: flags.zone }),
    ...(flags.key !== undefined && { key: flags.key }),
    ...(flags.exclude !== undefined && { exclude: flags.exclude }),
    ...(flags.alternates !== undefined && { alternates: Number(flags.alternates) }),
    labels: labelsOf(flags.label ?? []),
  });
  const reply = await askSuccess<LookupReply>({ url: flags.url }, `/v1/lookup?${query.toString()}`);
  if (flags.output !== 'table') {
    console.log(JSON.stringify(reply, null, flags.output === 'json' ? 2 : 0));
    return;
  }
  console.log(`${reply.gateway}  ${reply.url}`);
  for (const { gateway, url } of reply.alternates) console.log(`  or ${gateway}  ${url}`);
  console.log(
    `lookup ${reply.lookupId}, table version ${reply.table.version}, ${Math.round(reply.table.ageMs)} ms old`,
  );
  console.log(`why: herald explain ${reply.lookupId}`);
}

function labelsOf(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key, ...rest] = pair.split('=');
      if (key === undefined || rest.length === 0 || !LABEL_KEY_PATTERN.test(key)) {
        throw new StartError(`--label ${pair}: expected key=value`);
      }
      return [key, rest.join('=')];
    }),
  );
}

interface TableFlags {
  admin: string;
  token?: string;
  pool?: string;
  watch?: boolean;
  output: Output;
}

function fetchTable(flags: { admin: string; token?: string; pool?: string }): Promise<TableSnapshot> {
  const query = flags.pool === undefined ? '' : `?pool=${encodeURIComponent(flags.pool)}`;
  return askSuccess<TableSnapshot>(adminTarget(flags), `/v1/table${query}`);
}

async function table(flags: TableFlags): Promise<void> {
  do {
    const snapshot = await fetchTable(flags);
    if (flags.output === 'table') console.log(renderTable(snapshot, { color: process.stdout.isTTY }));
    else if (flags.output === 'json') console.log(JSON.stringify(snapshot, null, 2));
    else for (const gateway of snapshot.gateways) console.log(JSON.stringify(gateway));
    if (flags.watch) await sleep(1_000);
  } while (flags.watch);
}

async function top(flags: { admin: string; token?: string; pool?: string }): Promise<void> {
  if (!process.stdout.isTTY) throw new StartError('herald top needs a terminal; use herald table --watch');
  const screen = new LiveScreen(process.stdout);
  process.on('SIGINT', () => {
    screen.close();
    process.exit(0);
  });
  for (;;) {
    // A Herald that restarts is a reason to say so and go on, not to leave the screen.
    const body = await fetchTable(flags).then(
      (snapshot) => renderTable(snapshot, { color: true, width: process.stdout.columns }),
      (error: unknown) => (error as Error).message,
    );
    screen.draw(`herald top  ${flags.admin}  (Ctrl-C to leave)\n\n${body}`);
    await sleep(500);
  }
}

async function explain(
  lookupId: string,
  flags: { admin: string; token?: string; output: Output },
): Promise<void> {
  const value = await askSuccess<unknown>(adminTarget(flags), `/v1/explain/${encodeURIComponent(lookupId)}`);
  if (flags.output === 'table') console.log(renderExplanation(value));
  else console.log(JSON.stringify(value, null, flags.output === 'json' ? 2 : 0));
}
