// One Herald as `herald serve` runs it, with all that a real one does each second. Tells its URLs, and for each question
// how late its loop was since the last one.

import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { heraldOptions } from '../../src/herald/config/herald-options.ts';
import { startHerald } from '../../src/herald/start-herald.ts';
import { answerLines, tell } from '../role/answer-lines.ts';
import { watchLoop } from '../role/loop-delay.ts';

export interface HeraldOrder {
  periodMs: number;
  snapshotFile: string;
}

const { periodMs, snapshotFile } = JSON.parse(process.argv[2]!) as HeraldOrder;
const any = '127.0.0.1:0';
const flags = { id: 'bench', publicListen: any, controlListen: any, agentListen: any, adminListen: any };
// Nobody hears the StatsD; it is sent all the same.
const config = loadConfig(heraldOptions, { flags: { ...flags, snapshotFile, statsd: '127.0.0.1:9' } });
const staleAfterMs = Math.max(config.staleAfterMs, 4 * periodMs);
const herald = await startHerald(
  { ...config, periodMs, staleAfterMs },
  { log: silentLog, metrics: createMetrics(), clock: systemClock },
);
const lateness = watchLoop();
answerLines(lateness);
tell(herald.addresses);
