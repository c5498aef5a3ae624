// What `herald up` shows while it runs: the load table, redrawn in place on a terminal and as plain lines
// elsewhere, and after a while a demonstration: one gateway is squeezed (real CPU work inside its process) and
// new connections go elsewhere.

import type { TableSnapshot } from '../../herald/core/balancer-types.ts';
import type { Target } from '../admin-api.ts';
import { askSuccess } from '../admin-api.ts';
import { LiveScreen } from '../text/live-screen.ts';
import { PickRates } from '../pick-rates.ts';
import { renderTable } from '../text/render-table.ts';
import { hasColor, takesEscapes } from '../text/terminal-text.ts';
import type { Child } from './family.ts';

const SQUEEZE_FOR_MS = 30_000;
const SQUEEZE_SHARE = 0.7;
const DRAW_EVERY_MS = 500;
const PLAIN_EVERY_MS = 5_000;
const SILENCE = 'Herald does not answer: no new client is sent anywhere, those connected stay connected';

export interface Show {
  /** A line that stays, above the table. */
  say(line: string): void;
  begin(options: ShowOptions): void;
  close(): void;
}

export interface ShowOptions {
  admin: Target;
  gateways: Child[];
  /** When one gateway is squeezed; undefined = never. */
  squeezeAfterMs: number | undefined;
}

export function createShow(): Show {
  const timers: NodeJS.Timeout[] = [];
  let screen: LiveScreen | undefined;
  const say = (line: string): void => {
    if (screen) screen.print(line);
    else console.log(line);
  };

  const squeezeLater = (gateway: Child, afterMs: number, remarks: Map<string, string>): void => {
    const { name } = gateway;
    timers.push(
      setTimeout(() => {
        gateway.say({ says: 'squeeze', shareOfCore: SQUEEZE_SHARE });
        remarks.set(name, 'squeezed');
        say(`squeezing ${name}: ${SQUEEZE_SHARE * 100} % of a core of extra work; watch its new/s`);
      }, afterMs),
      setTimeout(() => {
        gateway.say({ says: 'squeeze', shareOfCore: 0 });
        remarks.delete(name);
        say(`${name} is free again`);
      }, afterMs + SQUEEZE_FOR_MS),
    );
  };

  return {
    say,
    begin({ admin, gateways, squeezeAfterMs }) {
      screen = takesEscapes(process.stdout) ? new LiveScreen(process.stdout) : undefined;
      const color = hasColor(process.stdout);
      const remarks = new Map<string, string>();
      const squeezed = gateways.at(-1);
      if (squeezeAfterMs !== undefined && squeezed) squeezeLater(squeezed, squeezeAfterMs, remarks);

      const rates = new PickRates();
      const draw = (table: TableSnapshot): void => {
        const picksPerSec = rates.update(table, performance.now());
        const shown = { color, picksPerSec, remarks };
        const at = screen;
        if (at) at.draw(() => renderTable(table, { ...shown, width: at.columns, rows: at.rows }));
        else console.log(`${renderTable(table, shown)}\n`);
      };
      let asking = false;
      let silent = false;
      const show = async (): Promise<void> => {
        if (asking) return;
        asking = true;
        try {
          draw(await askSuccess<TableSnapshot>(admin, '/v1/table', 'gateways'));
          if (silent) say('Herald answers again');
          silent = false;
        } catch {
          // In the place of the table, or once where lines stay; why it is away was said when it went.
          if (screen) screen.draw(() => SILENCE);
          else if (!silent) say(SILENCE);
          silent = true;
        } finally {
          asking = false;
        }
      };
      timers.push(setInterval(() => void show(), screen ? DRAW_EVERY_MS : PLAIN_EVERY_MS));
      void show();
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      screen?.close();
      screen = undefined;
    },
  };
}
