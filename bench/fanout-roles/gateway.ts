// The gateway under test: the real one, fed by a real broker over ZeroMQ.

import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { createBrokerLink } from '../../src/gateway/feed/broker-link.ts';
import { gatewayOptions } from '../../src/gateway/config/gateway-options.ts';
import { startGateway } from '../../src/gateway/start-gateway.ts';
import type { BrokerAddress } from '../../src/protocol/broker-address.ts';
import { answerLines, tell } from '../role/answer-lines.ts';
import { watchLoop } from '../role/loop-delay.ts';
import type { ServerStats } from './words.ts';

const given = JSON.parse(process.argv[2]!) as { flags: Record<string, unknown>; broker: BrokerAddress };
const gateway = await startGateway(
  loadConfig(gatewayOptions, {
    flags: {
      listen: '127.0.0.1:0',
      heralds: [],
      pingMs: 600_000,
      helloTimeoutMs: 60_000,
      resumeMessages: 10,
      ...given.flags,
    },
  }),
  {
    log: silentLog,
    metrics: createMetrics(),
    clock: systemClock,
    openLink: (events) => createBrokerLink({ ...events, brokers: [given.broker] }),
  },
);
const loopDelay = watchLoop();
tell({ port: Number(new URL(gateway.url).port) });
answerLines((question: 'stats' | 'gc') => {
  if (question === 'gc') globalThis.gc?.();
  const { ledger, writes } = gateway.snapshot();
  const stats: ServerStats = { delivered: ledger.delivered, writes, ...loopDelay() };
  return stats;
});
// Ends as a program does, so that a profile asked for is written.
process.on('SIGTERM', () => process.exit(0));
