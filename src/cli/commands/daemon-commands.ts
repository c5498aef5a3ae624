// `herald serve`, `gateway`, `broker`: one daemon each.

import type { Command } from 'commander';
import { systemClock } from '../../daemon/clock.ts';
import type { Clock } from '../../daemon/clock.ts';
import { checkDescriptors } from '../../daemon/descriptors.ts';
import type { Running } from '../../daemon/lifecycle.ts';
import { runUntilSignalled } from '../../daemon/lifecycle.ts';
import type { Log, LogLevel } from '../../daemon/log.ts';
import { createLog } from '../../daemon/log.ts';
import type { Metrics } from '../../daemon/metrics.ts';
import { createMetrics } from '../../daemon/metrics.ts';
import { heraldOptions } from '../../herald/config/herald-options.ts';
import { gatewayOptions } from '../../gateway/config/gateway-options.ts';
import { bridgeOptions, checkBridgeConfig } from '../../broker/bridge/bridge-options.ts';
import { brokerOptions } from '../../broker/config/broker-options.ts';
import { wholeNumber } from '../flags/given.ts';
import { addOptionFlags, configOf } from '../flags/option-flags.ts';
import { hearParent, tellParent } from '../parent.ts';
import { runWorkers } from '../workers.ts';

const MAX_WORKERS = 256;

export interface DaemonParts {
  log: Log;
  metrics: Metrics;
  clock: Clock;
}

interface DaemonHandle extends Running {
  addresses: Record<string, string>;
}

export function addDaemonCommands(program: Command): void {
  addOptionFlags(program.command('serve').description('run one Herald'), heraldOptions).action(
    async (flags: Record<string, unknown>) => {
      const config = configOf(heraldOptions, flags);
      if (config) {
        await runDaemon('herald', config.logLevel, async (parts) => {
          const { startHerald } = await import('../../herald/start-herald.ts');
          return startHerald(config, parts);
        });
      }
    },
  );
  addOptionFlags(program.command('gateway').description('run one WebSocket gateway'), gatewayOptions)
    .option('--workers <number>', 'gateways to run, each a process and a row of the table', '1')
    .action(async (flags: Record<string, unknown>) => {
      const config = configOf(gatewayOptions, flags);
      if (!config) return;
      const workers = wholeNumber('--workers', String(flags['workers']), 1, MAX_WORKERS);
      if (workers > 1) return runWorkers(workers, config);
      await runDaemon('gateway', config.logLevel, async (parts) => {
        const { startGateway } = await import('../../gateway/start-gateway.ts');
        const gateway = await startGateway(config, parts);
        hearParent((message) => gateway.squeeze(message.shareOfCore));
        return gateway;
      });
    });
  addOptionFlags(program.command('broker').description('run one broker'), brokerOptions).action(
    async (flags: Record<string, unknown>) => {
      const config = configOf(brokerOptions, flags);
      if (config) {
        await runDaemon('broker', config.logLevel, async (parts) => {
          const { startBroker } = await import('../../broker/start-broker.ts');
          return startBroker(config, parts);
        });
      }
    },
  );
  addBridgeCommand(program);
}

function addBridgeCommand(program: Command): void {
  addOptionFlags(
    program.command('bridge').description('bring to one cluster what is wanted from another'),
    bridgeOptions,
  ).action(async (flags: Record<string, unknown>) => {
    const config = configOf(bridgeOptions, flags);
    if (config) {
      await runDaemon('bridge', config.logLevel, async ({ log, metrics }) => {
        const { startBridge } = await import('../../broker/bridge/bridge.ts');
        const { startTelemetry } = await import('../../daemon/telemetry.ts');
        checkBridgeConfig(config);
        const bridge = await startBridge(config, { log, metrics });
        const { id, statsd } = config;
        const stopTelemetry = startTelemetry({ metrics, daemon: 'bridge', id, statsd, log });
        return {
          ...bridge,
          async close() {
            await bridge.close();
            await stopTelemetry();
          },
        };
      });
    }
  });
}

async function runDaemon(
  name: string,
  logLevel: LogLevel,
  start: (parts: DaemonParts) => Promise<DaemonHandle>,
): Promise<void> {
  checkDescriptors();
  const log = createLog(name, logLevel);
  await runUntilSignalled(async () => {
    const handle = await start({ log, metrics: createMetrics(), clock: systemClock });
    log.info('ready', { addresses: handle.addresses });
    tellParent({ says: 'ready', addresses: handle.addresses });
    return handle;
  }, log);
}
