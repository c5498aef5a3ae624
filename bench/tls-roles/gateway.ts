// The gateway under test, and beside its hub what publishes to one topic.

import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import type { TlsFiles } from '../../src/daemon/tls.ts';
import type { FeedEvents } from '../../src/gateway/core/feed-port.ts';
import { gatewayOptions } from '../../src/gateway/config/gateway-options.ts';
import { startGateway } from '../../src/gateway/start-gateway.ts';
import { LooseLink } from '../../test/launch/loose-link.ts';
import { answerLines, tell } from '../role/answer-lines.ts';
import type { GatewayTold, Order } from './words.ts';

const files = JSON.parse(process.argv[2]!) as Partial<TlsFiles>;
const link = new LooseLink();
const gateway = await startGateway(
  loadConfig(gatewayOptions, {
    flags: { listen: '127.0.0.1:0', heralds: [], pingMs: 600_000, maxWaitMs: 0, deflate: 'off', ...files },
  }),
  {
    log: silentLog,
    metrics: createMetrics(),
    clock: systemClock,
    openLink: (events: FeedEvents) => link.open(events),
  },
);
let publishing: NodeJS.Timeout | undefined;
const state = (): GatewayTold => {
  const { ledger, writes } = gateway.snapshot();
  return { url: gateway.url, delivered: ledger.delivered, writes };
};
tell(state());
answerLines((order: Order) => {
  if ('collect' in order) {
    globalThis.gc?.();
  } else if (publishing === undefined) {
    const data = Buffer.from(JSON.stringify('x'.repeat(order.bytes - 2)));
    publishing = setInterval(() => link.publishBytes('all', data), 1_000 / order.publish);
  }
  return state();
});
process.on('SIGTERM', () => process.exit(0));
