// The broker of the benchmark, a process of its own.

import { loadConfig } from '../../src/daemon/config.ts';
import { systemClock } from '../../src/daemon/clock.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { brokerOptions } from '../../src/broker/config/broker-options.ts';
import { startBroker } from '../../src/broker/start-broker.ts';
import { answerLines, cpuMs, tell } from '../role/answer-lines.ts';

const any = '127.0.0.1:0';
const flags = { publishListen: any, subscribeListen: any, repairListen: any, httpListen: '', heralds: [] };
const broker = await startBroker(loadConfig(brokerOptions, { flags }), {
  log: silentLog,
  metrics: createMetrics(),
  clock: systemClock,
});
tell(broker.address());
answerLines(() => ({ cpuMs: cpuMs(), envelopes: broker.snapshot().envelopes }));
