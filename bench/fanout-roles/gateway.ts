// The gateway under test: the real one, with messages made in its process or from a real broker.

import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import { createBrokerLink } from '../../src/gateway/broker-link-zmq.ts';
import { gatewayOptions } from '../../src/gateway/gateway-options.ts';
import { startGateway } from '../../src/gateway/start-gateway.ts';
import type { BrokerAddress } from '../../src/protocol/load-report.ts';
import { answerLines, cpuMs, tell } from '../broker-roles/cpu.ts';
import { MadeFeed } from './feed.ts';
import type { Load, ServerStats } from './words.ts';

const given = JSON.parse(process.argv[2]!) as { flags: Record<string, unknown>; broker?: BrokerAddress };
const feed = new MadeFeed();
const { broker } = given;
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
    openLink: broker ? (events) => createBrokerLink({ ...events, brokers: [broker] }) : feed.open,
  },
);
tell({ port: Number(new URL(gateway.url).port) });
answerLines((line) => {
  const question = JSON.parse(line) as 'stats' | 'gc' | 'stop' | { load: Load };
  if (question === 'gc') globalThis.gc?.();
  else if (question === 'stop') feed.stop();
  else if (question !== 'stats') feed.start(question.load);
  const { ledger, writes } = gateway.snapshot();
  const stats: ServerStats = {
    cpuMs: cpuMs(),
    delivered: ledger.delivered,
    writes,
    rssBytes: process.memoryUsage.rss(),
  };
  return stats;
});
