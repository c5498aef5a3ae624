// `npm run e2e:faults`: makes every fault of the table on real servers and prints what was measured.
// --full runs durations and counts as written; --only a,b runs some rows; --log FILE keeps every fault and
// every answer as NDJSON; --rate N sets the lookups a second. Exits with 1 when a row did not hold.

import { createWriteStream } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { requireServer } from '../../launch/require-server.ts';
import { chosenRows } from '../chosen-rows.ts';
import { layField } from './field.ts';
import type { Finding } from './finding.ts';
import { printFindings } from './print-findings.ts';
import { effortOf } from './row.ts';
import { ROWS } from './rows.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    rate: { type: 'string', default: '2100' },
    log: { type: 'string' },
  },
});

const names = chosenRows(ROWS, values.only);
if (!requireServer('zookeeper') || !requireServer('haproxy')) process.exit(2);

const file = values.log === undefined ? undefined : createWriteStream(values.log);
const startMs = performance.now();
const findings: Finding[] = [];
const interrupted = new AbortController();
let close = async (): Promise<void> => {};
// Whatever ends this process, nothing of the field outlives it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted.abort();
    console.log(`\n${printFindings(findings)}\n\ninterrupted`);
    void close().then(() => process.exit(130));
  });
}
// Started by a wrapper that may be killed outright: then nobody waits for the table any more.
const parent = process.ppid;
const orphaned = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(orphaned);
  process.kill(process.pid, 'SIGTERM');
}, 1_000).unref();
const field = await layField({
  lookupsPerSec: Number(values.rate),
  ...(file && { onEvent: (event) => file.write(`${JSON.stringify(event)}\n`) }),
});
close = () => field.close();

// How late this process's own timers were: on a starved machine no figure of the table means much.
const lateness = monitorEventLoopDelay({ resolution: 10 });
lateness.enable();
let crashed = 0;
for (const [i, name] of names.entries()) {
  const row = ROWS[name]!;
  const fromMs = performance.now();
  field.load.rate();
  lateness.reset();
  process.stderr.write(`[${i + 1}/${names.length}] ${row.title} ...`);
  try {
    const found = await row.run(field, effortOf(values.full));
    findings.push(...found);
    const held = found.every(({ breaches }) => breaches.length === 0);
    const seconds = Math.round((performance.now() - fromMs) / 1_000);
    process.stderr.write(
      ` ${held ? 'held' : 'BROKEN'} (${seconds} s, ${Math.round(field.load.rate())} lookups/s, ` +
        `own timers late by up to ${Math.round(lateness.max / 1e6)} ms)\n`,
    );
  } catch (error) {
    if (interrupted.signal.aborted) break;
    crashed += 1;
    process.stderr.write(` could not be finished: ${(error as Error).message}\n`);
    for (const herald of field.heralds) process.stderr.write(`${herald.log().slice(-3_000)}\n`);
    break;
  }
}
if (!interrupted.signal.aborted) {
  console.log(`\n${printFindings(findings)}`);
  console.log(`\n${findings.length} faults in ${Math.round((performance.now() - startMs) / 1_000)} s`);
  await field.close();
  file?.end();
  process.exit(crashed > 0 || findings.some(({ breaches }) => breaches.length > 0) ? 1 : 0);
}
