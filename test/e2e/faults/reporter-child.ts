// A child process that reports as one or many gateways, with the reporter that real gateways use. Prints a
// line once every gateway was heard by a Herald, and one JSON line a directive. Obeys orders to drain only
// when told to, so that a row can tell Herald's own memory from the gateway's obedience.
// Arguments: one JSON object {heralds, gateways, obeys}. SIGUSR2 = drain by itself; SIGTERM = goodbye.

import { startReporter } from '../../../src/reporter/index.ts';
import type { Reporter } from '../../../src/reporter/index.ts';

interface Orders {
  heralds: string[];
  gateways: string[];
  obeys: boolean;
}

/** Many cheap connections and a small load, so that no lookup of the table is ever refused as overload. */
const CONNECTIONS = 50_000;
const LOAD = 0.2;

const { heralds, gateways, obeys } = JSON.parse(process.argv[2]!) as Orders;
const reporters: Reporter[] = [];
for (const [index, gateway] of gateways.entries()) {
  const reporter: Reporter = startReporter({
    heralds,
    gateway,
    url: `ws://127.0.0.1:${20_000 + Number(gateway.slice(3))}/ws`,
    capacity: 4,
    counters: () => ({ connections: CONNECTIONS + Math.round(1_000 * Math.sin(performance.now() / 3_000)) }),
    signals: () => ({
      cpu: LOAD + 0.02 * Math.sin(performance.now() / 2_000 + index),
      throttled: undefined,
      eventLoop: undefined,
      loopDelayP99Ms: undefined,
      memory: undefined,
      descriptors: undefined,
    }),
    onDirective(directive, heraldId) {
      console.log(JSON.stringify({ gateway, heraldId, directive }));
      if (!obeys) return;
      if ('drain' in directive) reporter.setState('draining');
      if ('ready' in directive) reporter.setState('up');
    },
  });
  reporters.push(reporter);
}
await Promise.all(reporters.map((reporter) => reporter.flush()));
console.log('reporting');

process.on('SIGUSR2', () => {
  for (const reporter of reporters) reporter.setState('draining');
});
process.on('SIGTERM', () => {
  void Promise.all(reporters.map((reporter) => reporter.close())).then(() => process.exit(0));
});
// The reporter's timers keep no process alive by themselves.
setInterval(() => {}, 60_000);
