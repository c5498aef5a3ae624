// Figures as a table for people.

import type { Figures } from './run-balance.ts';

export function printFigures(runs: readonly Figures[]): string {
  return runs
    .map((run) => {
      const head =
        `${run.scenario}, policy ${run.policy}, mover ${run.mover}: median max/mean ${run.medianMaxOverMean.toFixed(2)}, ` +
        `p99 ${run.p99MaxOverMean.toFixed(2)}, fleet at ${percent(run.meanLoad)}, hot ${percent(run.hotShare)} of the time ` +
        `(${run.samples} samples, ${run.clients} clients, ${run.moved} moved)`;
      const rows = run.gateways.map(
        ({ gateway, capacity, meanLoad, connections }) =>
          `  ${gateway}  capacity ${capacity.toFixed(1)}  load ${percent(meanLoad).padStart(5)}  ` +
          `${'#'.repeat(Math.round(Math.min(2, meanLoad) * 30)).padEnd(60)} ${connections.toFixed(0)} connections`,
      );
      return [head, ...rows].join('\n');
    })
    .join('\n\n');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
