// `npm run e2e:balance`: balances real clients over six real gateways of played capacity and prints how equal
// they are. --policy a,b and --scenario a,b run every pair, the policies of one scenario side by side, so that
// whatever else the machine does, it does to both. --heralds N has as many Heralds share a ZooKeeper. --short is
// the run of `npm test`: the same fleets and targets with the noisy neighbour there from the start and less time.
// Exits with 1 when a target is missed.

import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { HERALD_BIN } from '../../launch/herald-process.ts';
import { judge } from './judge.ts';
import { printFigures } from './print-figures.ts';
import type { Figures, Scenario } from './run-balance.ts';
import { runBalance } from './run-balance.ts';

const { values } = parseArgs({
  options: {
    policy: { type: 'string', default: 'expected,round-robin' },
    scenario: { type: 'string', default: 'mixed,neighbour' },
    short: { type: 'boolean', default: false },
    'fill-s': { type: 'string' },
    'measure-s': { type: 'string' },
    mover: { type: 'string' },
    heralds: { type: 'string', default: '1' },
    output: { type: 'string', short: 'o', default: 'table' },
  },
});

const size = values.short
  ? { fillSec: 30, measureSec: 25, neighbourAt: 0 }
  : { fillSec: 80, measureSec: 90, neighbourAt: 1 / 3 };
if (!existsSync(HERALD_BIN)) {
  console.error(`${HERALD_BIN} is missing: npm run build`);
  process.exit(2);
}
/** Starting and stopping nine processes twice, on a machine that does much else. */
const START_STOP_SEC = 180;
const figures: Figures[] = [];
let doing = '';
// A run that does not come to its end must say so; its processes end with this one.
const watchdog = setTimeout(
  () => {
    console.error(`missed: ${doing} did not end in time`);
    process.exit(1);
  },
  1_000 * values.scenario.split(',').length * (size.fillSec + size.measureSec + START_STOP_SEC),
);
watchdog.unref();
for (const scenario of values.scenario.split(',')) {
  if (scenario !== 'mixed' && scenario !== 'neighbour') {
    console.error(`no scenario ${scenario}; there are mixed, neighbour`);
    process.exit(2);
  }
  doing = scenario;
  const runs = values.policy.split(',').map((policy, i) =>
    runBalance({
      policy,
      scenario: scenario satisfies Scenario,
      heralds: Number(values.heralds),
      mover:
        values.mover === 'on' || values.mover === 'off' ? values.mover : policy === 'expected' ? 'on' : 'off',
      fillMs: 1_000 * Number(values['fill-s'] ?? size.fillSec),
      measureMs: 1_000 * Number(values['measure-s'] ?? size.measureSec),
      neighbourAt: size.neighbourAt,
      onProgress: (share) => {
        if (i === 0 && process.stderr.isTTY) {
          process.stderr.write(`\r${scenario} ${Math.min(100, Math.round(share * 100))} %   `);
        }
      },
    }),
  );
  figures.push(...(await Promise.all(runs)));
  if (process.stderr.isTTY) process.stderr.write('\r');
}
console.log(values.output === 'json' ? JSON.stringify(figures) : printFigures(figures));
const misses = judge(figures);
for (const miss of misses) console.error(`missed: ${miss}`);
process.exit(misses.length > 0 ? 1 : 0);
