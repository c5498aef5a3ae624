// `herald mover [mode]`: what is being moved, and the way to stop it or to see what it would do.

import type { Command } from 'commander';
import { Argument } from 'commander';
import { StartError } from '../../daemon/lifecycle.ts';
import { MOVER_MODES } from '../../herald/core/balancer-types.ts';
import type { MoverView } from '../../herald/http/mover-api.ts';
import { askSuccess } from '../admin-api.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget } from '../flags/herald-flags.ts';
import { counted } from '../../checks/core/counted.ts';
import { author } from '../flags/given.ts';
import type { Output } from '../text/output.ts';
import { outputFlag, printJson } from '../text/output.ts';

interface MoverFlags extends AdminFlags {
  pool?: string;
  reason?: string;
  output: Output;
}

const ORDERS_SHOWN = 20;

export function addMoverCommand(program: Command): void {
  adminFlags(program.command('mover').description('show what connections are moved, or start and stop it'))
    .addArgument(
      new Argument('[mode]', 'on, dry-run = decide and order nothing, off = stop at once').choices(
        MOVER_MODES,
      ),
    )
    .option('--pool <pool>', 'this pool alone')
    .option('--reason <text>', 'kept in the audit')
    .addOption(outputFlag())
    .action(mover);
}

async function mover(mode: string | undefined, flags: MoverFlags): Promise<void> {
  const { pool, reason = '' } = flags;
  const wish = mode === undefined ? undefined : { mode, reason, author: author(), ...(pool && { pool }) };
  const view = await askSuccess<MoverView>(adminTarget(flags), '/v1/mover', 'modes', wish);
  if (pool !== undefined && !Object.hasOwn(view.modes, pool)) {
    throw new StartError(`no pool ${pool} in the table; there ${poolNames(Object.keys(view.modes))}`);
  }
  if (flags.output === 'table') console.log(renderMover(view, pool));
  else printJson(view, flags.output);
}

function poolNames(pools: string[]): string {
  return pools.length === 0 ? 'is none yet' : `${pools.length === 1 ? 'is' : 'are'} ${pools.join(', ')}`;
}

function renderMover({ leaseHeld, modes, orders }: MoverView, pool: string | undefined): string {
  const wanted = (name: string): boolean => pool === undefined || name === pool;
  const lines = Object.entries(modes)
    .filter(([name]) => wanted(name))
    .map(([name, mode]) => `pool ${name}: ${mode}`);
  if (lines.length === 0) lines.push('no pool: no gateway has reported yet');
  if (!leaseHeld) {
    lines.push(
      'this Herald does not hold the lease: another one moves. A mode holds at the Herald that was told.',
    );
  }
  const shown = orders.filter((order) => wanted(order.pool)).slice(-ORDERS_SHOWN);
  lines.push(shown.length === 0 ? 'no orders yet' : 'latest orders, newest last:');
  for (const { gateway, count, why, state, ageMs, orderId } of shown) {
    const ago = `${Math.round(ageMs / 1_000)} s ago`.padStart(10);
    lines.push(`${ago}  ${gateway}: at most ${counted(count, 'connection')} (${why}), ${state}  ${orderId}`);
  }
  return lines.join('\n');
}
