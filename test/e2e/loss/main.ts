// `npm run e2e:loss`: kills, drains, freezes and restarts brokers and gateways under numbered traffic and
// prints what became of every message. --full makes each fault as often as promised (over a million messages);
// --only a,b runs some rows; --times N makes each fault so often. Exits with 1 when a promise was broken.

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { requireServer } from '../../launch/require-server.ts';
import { chosenRows } from '../chosen-rows.ts';
import { printResults } from './print-results.ts';
import { ROWS } from './rows.ts';
import type { Result } from './run-row.ts';
import { runRow } from './run-row.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    times: { type: 'string' },
    pace: { type: 'string', default: '1' },
  },
});
const names = chosenRows(ROWS, values.only);

const results: Result[] = [];
let skipped = 0;
for (const [i, name] of names.entries()) {
  const row = ROWS[name]!;
  if (row.needs && !requireServer(row.needs)) {
    skipped += 1;
    continue;
  }
  console.log(`${i + 1}/${names.length} ${name}: ${row.what}`);
  const result = await runRow(name, {
    full: values.full,
    ...(values.times !== undefined && { times: Number(values.times) }),
    pace: Number(values.pace),
  });
  results.push(result);
  for (const line of result.broken) console.log(`  ! ${line}`);
  console.log(`  in ${result.seconds.toFixed(0)} s`);
}
console.log(`\n${printResults(results)}`);
console.log(`${cpus()[0]?.model ?? 'unknown CPU'} x ${cpus().length}, Node ${process.version}`);
const broken = results.filter((result) => result.broken.length > 0).length;
console.log(`${results.length - broken} kept, ${broken} broken, ${skipped} skipped`);
process.exit(broken > 0 ? 1 : 0);
