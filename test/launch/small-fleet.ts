// A small real fleet in this process, on free ports: one Herald, gateways, one broker, a publisher. For tests
// of what speaks to all of them.

import { systemClock } from '../../src/daemon/clock.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { silentLog } from '../../src/daemon/log.ts';
import { createMetrics } from '../../src/daemon/metrics.ts';
import type { BrokerConfig, BrokerHandle } from '../../src/broker/start-broker.ts';
import { startBroker } from '../../src/broker/start-broker.ts';
import { brokerOptions } from '../../src/broker/config/broker-options.ts';
import type { GatewayConfig } from '../../src/gateway/config/gateway-options.ts';
import { gatewayOptions } from '../../src/gateway/config/gateway-options.ts';
import type { GatewayHandle } from '../../src/gateway/start-gateway.ts';
import { startGateway } from '../../src/gateway/start-gateway.ts';
import type { HeraldConfig } from '../../src/herald/config/herald-options.ts';
import { heraldOptions } from '../../src/herald/config/herald-options.ts';
import type { HeraldHandle } from '../../src/herald/start-herald.ts';
import { startHerald } from '../../src/herald/start-herald.ts';
import type { Publisher } from '../../src/publisher/index.ts';
import { createPublisher } from '../../src/publisher/index.ts';
import { until } from './until.ts';

export interface SmallFleet {
  herald: HeraldHandle;
  /** Public URL of the Herald. */
  url: string;
  gateways: GatewayHandle[];
  broker: BrokerHandle;
  publisher: Publisher;
  addGateway(config?: Partial<GatewayConfig>): Promise<GatewayHandle>;
  gateway(id: string): GatewayHandle;
  close(): Promise<void>;
}

const ANY_PORT = '127.0.0.1:0';
const parts = () => ({ log: silentLog, metrics: createMetrics(), clock: systemClock });

export async function launchSmallFleet(
  gateways: number,
  config: {
    herald?: Partial<HeraldConfig>;
    gateway?: Partial<GatewayConfig>;
    broker?: Partial<BrokerConfig>;
  } = {},
): Promise<SmallFleet> {
  const herald = await startHerald(
    {
      ...loadConfig(heraldOptions, {}),
      id: 'herald-1',
      publicListen: ANY_PORT,
      controlListen: ANY_PORT,
      agentListen: ANY_PORT,
      adminListen: ANY_PORT,
      periodMs: 200,
      // All gateways share this process: its load says nothing of any of them, and must not close the door.
      admitScore: 1_000,
      admitReturningScore: 1_000,
      mover: 'off',
      ...config.herald,
    },
    parts(),
  );
  const heralds = [herald.addresses.control];
  const broker = await startBroker(
    {
      ...loadConfig(brokerOptions, {}),
      publishListen: ANY_PORT,
      subscribeListen: ANY_PORT,
      repairListen: ANY_PORT,
      httpListen: '',
      drainMs: 200,
      heralds,
      ...config.broker,
    },
    parts(),
  );
  const fleet: SmallFleet = {
    herald,
    url: herald.addresses.public,
    gateways: [],
    broker,
    // Traces on demand alone: one publisher's name in 10,000 has its first message traced by chance.
    publisher: await createPublisher({ heralds, brokers: [broker.address()], traceOneIn: 0 }),
    async addGateway(more = {}) {
      const gateway = await startGateway(
        {
          ...loadConfig(gatewayOptions, {}),
          id: `gw-${fleet.gateways.length + 1}`,
          listen: ANY_PORT,
          heralds,
          shutdownSpreadMs: 200,
          ...config.gateway,
          ...more,
        },
        parts(),
      );
      fleet.gateways.push(gateway);
      await until(`${gateway.id} to be named`, async () => {
        const reply = await fetch(`${herald.addresses.admin}/v1/table`);
        const table = (await reply.json()) as { gateways: { gateway: string; effectiveState: string }[] };
        return table.gateways.some((row) => row.gateway === gateway.id && row.effectiveState === 'up');
      });
      await until(`${gateway.id} to hear the broker`, () =>
        gateway.snapshot().feed.brokers.some(({ connected }) => connected),
      );
      return gateway;
    },
    gateway: (id) => fleet.gateways.find((gateway) => gateway.id === id)!,
    async close() {
      await fleet.publisher.close();
      await Promise.all(fleet.gateways.map((gateway) => gateway.close()));
      await broker.close();
      await herald.close();
    },
  };
  for (let i = 0; i < gateways; i++) await fleet.addGateway();
  return fleet;
}
