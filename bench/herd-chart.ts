// Draws docs/img/herd.svg: the load of twenty gateways through a flash crowd, by naive least load and by
// expected load. Seeded, so the picture is the same on every machine.
//   node scripts/run-ts.mjs bench/herd-chart.ts

import { writeFileSync } from 'node:fs';
import { renderChartSvg, runSimulation } from '../src/sim/index.ts';

const CHART = 'docs/img/herd.svg';
const panels = (
  [
    ['least', 'least load on the last report: everybody runs to the same gateway'],
    ['expected', 'expected load: what is already on its way counts'],
  ] as const
).map(([policy, title]) => {
  const { series, p99MaxMean } = runSimulation({ policy, scenario: 'flash', seed: 1 });
  return { title: `${title} (p99 max/mean ${p99MaxMean.toFixed(2)})`, series };
});
const title = 'Ten times the arrivals for 20 s: CPU of each of 20 gateways';
writeFileSync(CHART, renderChartSvg(panels, { title, fromSec: 0, toSec: 120 }));
console.log(`wrote ${CHART}`);
