// Questions to a running Herald: `herald lookup` and `explain`.

import type { Command } from 'commander';
import type { LookupReply } from '../../protocol/lookup.ts';
import { encodeLookupQuery, LOOKUP_LIMITS } from '../../protocol/lookup.ts';
import { LABEL_KEY_PATTERN } from '../../protocol/names.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import type { Explanation } from '../../herald/core/explanation.ts';
import { askFirst, askSuccess } from '../admin-api.ts';
import { heraldUrls, wholeNumber } from '../flags/given.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget, publicUrlFlag } from '../flags/herald-flags.ts';
import type { Output } from '../text/output.ts';
import { outputFlag, printJson } from '../text/output.ts';
import { renderExplanation } from '../text/render-explanation.ts';

const MAX_ALTERNATES = LOOKUP_LIMITS.maxAlternates;

export function addAskCommands(program: Command): void {
  program
    .command('lookup')
    .description('ask which gateway to connect to')
    .addOption(publicUrlFlag('public URLs of Heralds, with commas; the first that answers is asked'))
    .option('--pool <pool>', 'pool of gateways')
    .option('--zone <zone>', 'preferred zone')
    .option('--label <key=value...>', 'required label')
    .option(
      '--prefer <key=value@weight...>',
      'label rather had: it may be that much more loaded, 0.1 if not said',
    )
    .option('--key <key>', 'affinity key')
    .option('--exclude <gateway...>', 'gateways not to be named')
    .option(
      '--alternates <number>',
      `how many alternates, 0 to ${MAX_ALTERNATES}; ${LOOKUP_LIMITS.defaultAlternates} if not said`,
    )
    .addOption(outputFlag())
    .action(lookup);

  adminFlags(program.command('explain <lookupId>').description('why a lookup was answered as it was'))
    .addOption(outputFlag())
    .action(explain);
}

interface LookupFlags {
  url: string;
  pool?: string;
  zone?: string;
  label?: string[];
  prefer?: string[];
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
    ...(flags.alternates !== undefined && {
      alternates: wholeNumber('--alternates', flags.alternates, 0, MAX_ALTERNATES),
    }),
    labels: labelsOf(flags.label ?? []),
  });
  for (const wish of flags.prefer ?? []) query.append('prefer', wish);
  const urls = heraldUrls('--url', flags.url);
  const reply = await askFirst<LookupReply>(urls, `/v1/lookup?${query.toString()}`, 'gateway');
  if (flags.output !== 'table') {
    printJson(reply, flags.output);
    return;
  }
  console.log(`${reply.gateway}  ${reply.url}`);
  for (const { gateway, url: other } of reply.alternates) console.log(`  or ${gateway}  ${other}`);
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

async function explain(lookupId: string, flags: AdminFlags & { output: Output }): Promise<void> {
  const value = await askSuccess<Explanation>(
    adminTarget(flags),
    `/v1/explain/${encodeURIComponent(lookupId)}`,
    'candidates',
  );
  const { isTTY, columns } = process.stdout;
  if (flags.output === 'table') console.log(renderExplanation(value, isTTY ? columns : undefined));
  else printJson(value, flags.output);
}
