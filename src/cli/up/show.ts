// What `herald up` shows while it runs: the load table, redrawn in place on a terminal and as plain lines
// elsewhere, and after 20 s a demonstration: one gateway is squeezed (real CPU work inside its process) and
// new connections go elsewhere.

import type { TableSnapshot } from '../../herald/core/balancer-types.ts';
import { askSuccess } from '../admin-api.ts';
import { LiveScreen } from '../live-screen.ts';
import { renderTable } from '../render-table.ts';
import type { Child } from './family.ts';

const SQUEEZE_AFTER_MS = 20_000;
const SQUEEZE_FOR_MS = 30_000;
const SQUEEZE_SHARE = 0.7;
const DRAW_EVERY_MS = 500;
const PLAIN_EVERY_MS = 5_000;
/** Rates are averages over this, so that single arrivals do not flicker. */
const RATE_OVER_MS = 4_000;

export interface ShowOptions {
  adminUrl: string;
  gateways: Child[];
  squeeze: boolean;
}

export function startShow(options: ShowOptions): () => void {
  const screen = process.stdout.isTTY ? new LiveScreen(process.stdout) : undefined;
  const say = (line: string): void => {
    if (screen) screen.print(line);
    else console.log(line);
  };
  const squeezed = options.gateways.at(-1);
  const remarks = new Map<string, string>();
  const timers: NodeJS.Timeout[] = [];
  if (options.squeeze && squeezed) {
    timers.push(
      setTimeout(() => {
        squeezed.say({ says: 'squeeze', shareOfCore: SQUEEZE_SHARE });
        remarks.set(squeezed.name, 'squeezed');
        say(`squeezing ${squeezed.name}: ${SQUEEZE_SHARE * 100} % of a core of extra work; watch its new/s`);
      }, SQUEEZE_AFTER_MS),
      setTimeout(() => {
        squeezed.say({ says: 'squeeze', shareOfCore: 0 });
        remarks.delete(squeezed.name);
        say(`${squeezed.name} is free again`);
      }, SQUEEZE_AFTER_MS + SQUEEZE_FOR_MS),
    );
  }

  const rates = new PickRates();
  let asking = false;
  const show = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      const table = await askSuccess<TableSnapshot>({ url: options.adminUrl }, '/v1/table');
      const picksPerSec = rates.update(table, performance.now());
      const text = renderTable(table, { color: screen !== undefined, picksPerSec, remarks });
      if (screen) screen.draw(text);
      else console.log(`${text}\n`);
    } catch (error) {
      say((error as Error).message);
    } finally {
      asking = false;
    }
  };
  timers.push(setInterval(() => void show(), screen ? DRAW_EVERY_MS : PLAIN_EVERY_MS));
  void show();
  return () => {
    for (const timer of timers) clearTimeout(timer);
    screen?.close();
  };
}

/** Lookups a second by gateway, from the totals of successive tables. */
class PickRates {
  readonly #history: { atMs: number; picks: Map<string, number> }[] = [];

  update(table: TableSnapshot, nowMs: number): Map<string, number> {
    const picks = new Map(table.gateways.map((gateway) => [gateway.gateway, gateway.picks]));
    this.#history.push({ atMs: nowMs, picks });
    while (this.#history.length > 2 && this.#history[0]!.atMs < nowMs - RATE_OVER_MS) this.#history.shift();
    const first = this.#history[0]!;
    const seconds = Math.max(0.001, (nowMs - first.atMs) / 1_000);
    return new Map(
      [...picks].map(([id, total]) => [id, Math.max(0, total - (first.picks.get(id) ?? 0)) / seconds]),
    );
  }
}
