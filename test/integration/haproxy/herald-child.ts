// One Herald as a process of its own that can be killed: prints its addresses as one line of JSON.

import { systemClock } from '../../../src/daemon/clock.ts';
import { loadConfig } from '../../../src/daemon/config.ts';
import { runUntilSignalled } from '../../../src/daemon/lifecycle.ts';
import { createLog } from '../../../src/daemon/log.ts';
import { createMetrics } from '../../../src/daemon/metrics.ts';
import { heraldOptions } from '../../../src/herald/herald-options.ts';
import { startHerald } from '../../../src/herald/start-herald.ts';

const config = loadConfig(heraldOptions, {
  flags: JSON.parse(process.argv[2] ?? '{}') as Record<string, unknown>,
});
const log = createLog('herald', 'warn');
await runUntilSignalled(async () => {
  const herald = await startHerald(config, { log, metrics: createMetrics(), clock: systemClock });
  console.log(JSON.stringify(herald.addresses));
  return herald;
}, log);
