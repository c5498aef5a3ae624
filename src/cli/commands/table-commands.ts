// `herald table` and `herald top`: the load table of a running Herald, once or live.

import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../daemon/thrown.ts';
import type { TableSnapshot } from '../../herald/core/balancer-types.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import type { Target } from '../admin-api.ts';
import { askSuccess } from '../admin-api.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget } from '../flags/herald-flags.ts';
import { LiveScreen } from '../text/live-screen.ts';
import type { Output } from '../text/output.ts';
import { outputFlag } from '../text/output.ts';
import { PickRates } from '../pick-rates.ts';
import { renderTable } from '../text/render-table.ts';
import { hasColor, takesEscapes } from '../text/terminal-text.ts';

const TOP_EVERY_MS = 500;
const WATCH_EVERY_MS = 1_000;
const HEAD_ROWS = 2;

interface TableFlags extends AdminFlags {
  pool?: string;
  watch?: boolean;
  output: Output;
}

export function addTableCommands(program: Command): void {
  adminFlags(program.command('table').description('print the load table'))
    .option('--pool <pool>', 'this pool alone')
    .option('-w, --watch', 'print again each second, also while Herald is away')
    .addOption(outputFlag())
    .action(table);

  adminFlags(program.command('top').description('watch the load table live; q or Ctrl-C to leave'))
    .option('--pool <pool>', 'this pool alone')
    .action(top);
}

function fetchTable(target: Target, pool: string | undefined): Promise<TableSnapshot> {
  const query = pool === undefined ? '' : `?pool=${encodeURIComponent(pool)}`;
  return askSuccess<TableSnapshot>(target, `/v1/table${query}`, 'gateways');
}

async function table(flags: TableFlags): Promise<void> {
  const target = adminTarget(flags);
  if (!flags.watch) {
    printTable(await fetchTable(target, flags.pool), flags);
    return;
  }
  let silence = '';
  for (;;) {
    try {
      const snapshot = await fetchTable(target, flags.pool);
      silence = '';
      printTable(snapshot, flags, new Date().toISOString());
    } catch (error) {
      // Said once: a Herald that restarts is no reason to leave.
      const said = messageOf(error);
      if (said !== silence) console.error(`herald: ${said}`);
      silence = said;
    }
    await sleep(WATCH_EVERY_MS);
  }
}

/** `at` tells one reading from the next where many are printed. */
function printTable(snapshot: TableSnapshot, { output, pool }: TableFlags, at?: string): void {
  switch (output) {
    case 'table': {
      const { isTTY, columns } = process.stdout;
      const width = isTTY ? columns : undefined;
      if (at !== undefined) console.log(`\n${at}`);
      console.log(renderTable(snapshot, { color: hasColor(process.stdout), pool, ...(width && { width }) }));
      return;
    }
    case 'json':
      console.log(JSON.stringify(at === undefined ? snapshot : { at, ...snapshot }, null, 2));
      return;
    case 'ndjson':
      for (const gateway of snapshot.gateways) {
        console.log(JSON.stringify(at === undefined ? gateway : { at, ...gateway }));
      }
  }
}

async function top(flags: AdminFlags & { pool?: string }): Promise<void> {
  if (!takesEscapes(process.stdout)) {
    throw new StartError('herald top needs a terminal; use herald table --watch');
  }
  const target = adminTarget(flags);
  const screen = new LiveScreen(process.stdout, true);
  leaveOnKey(() => process.exit(0));
  const rates = new PickRates();
  const color = hasColor(process.stdout);
  for (;;) {
    const body = await fetchTable(target, flags.pool).then(
      (snapshot) => {
        const picksPerSec = rates.update(snapshot, performance.now());
        const shown = { color, picksPerSec, pool: flags.pool };
        return () =>
          renderTable(snapshot, { ...shown, width: screen.columns, rows: screen.rows - HEAD_ROWS });
      },
      // A Herald that restarts is a reason to say so and go on, not to leave the screen.
      (error: unknown) => () => messageOf(error),
    );
    screen.draw(() => `herald top  ${target.url}  q to leave\n\n${body()}`);
    await sleep(TOP_EVERY_MS);
  }
}

/** Leaves on q, Ctrl-C and SIGTERM; the screen gives the terminal back at the exit. */
function leaveOnKey(leave: () => void): void {
  process.on('SIGINT', leave);
  process.on('SIGTERM', leave);
  const { stdin } = process;
  if (!stdin.isTTY) return;
  stdin.setRawMode(true);
  stdin.on('data', (keys: Buffer) => {
    const [key] = keys;
    if (key === 0x03 || key === 0x71) leave();
  });
}
