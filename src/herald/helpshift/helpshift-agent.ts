// (5) `herald serve --helpshift config.yml`: an agent-check port for each file written for helpshift/herald, on
// the address the file names. Every plugin of a file is loaded; `agent-send "name/plugin\n"` chooses, and who
// sends nothing, or nothing known, gets the first, or the one marked `default`.

import { isLoopback } from '../../daemon/address.ts';
import type { Clock } from '../../daemon/clock.ts';
import type { Log } from '../../daemon/log.ts';
import { nearest } from '../../protocol/nearest.ts';
import type { AgentAnswer, AgentRequest } from '../../protocol/agent-check.ts';
import type { AgentCheckOptions, AgentCheckServer } from '../agent-check/agent-check-server.ts';
import { startAgentCheck } from '../agent-check/agent-check-server.ts';
import type { AgentDesk } from '../agent-check/agent-desk.ts';
import { neutral } from '../agent-check/agent-desk.ts';
import type { HelpshiftConfig } from '../core/helpshift/helpshift-config.ts';
import type { PolledPlugin } from './polled-plugin.ts';
import { startPolledPlugin } from './polled-plugin.ts';

export interface HelpshiftParts {
  desk: Pick<AgentDesk, 'stopping' | 'asked'>;
  /** Who may ask, when `agentAllow` names anybody; else the file decides with its `bind`, as it always did. */
  allowed: AgentCheckOptions['allowed'] | undefined;
  onEnd: AgentCheckOptions['onEnd'];
  clock: Clock;
  log: Log;
}

export async function startHelpshiftAgent(
  config: HelpshiftConfig,
  { desk, allowed, onEnd, clock, log }: HelpshiftParts,
): Promise<AgentCheckServer> {
  for (const key of config.ignored) {
    log.warn('helpshift-key-ignored', { key, nearest: nearest(key.split('.').at(-1)!, KNOWN) });
  }
  if (!allowed && !isLoopback(config.host)) {
    log.warn('helpshift-open-to-all', { bind: config.host, port: config.port, closedBy: '--agent-allow' });
  }
  const polled = new Map<string, PolledPlugin>();
  const first = config.plugins[0]!.name;
  const answer = ({ backend, server }: AgentRequest): AgentAnswer | Promise<AgentAnswer> => {
    desk.asked(clock.nowMs());
    if (desk.stopping()) return neutral('herald stopping');
    const known = backend === '' || backend === config.name ? polled.get(server) : undefined;
    return (known ?? polled.get(first)!).answer();
  };
  const otherwise = { backend: config.name, server: first };
  for (const plugin of config.plugins) polled.set(plugin.name, startPolledPlugin(plugin, clock, log));
  const stopAll = (): void => {
    for (const plugin of polled.values()) plugin.stop();
  };
  const address = { host: config.host, port: config.port };
  const options = {
    answer,
    allowed: allowed ?? (() => true),
    onEnd,
    // With one plugin there is nothing to choose: it answers at once, as the original does.
    ...(config.plugins.length === 1 ? { fixed: otherwise } : { otherwise }),
  };
  try {
    const listener = await startAgentCheck(address, '`port` in its file', options);
    log.info('helpshift-agent', { port: listener.address.port, plugins: [...polled.keys()] });
    return {
      address: listener.address,
      async close() {
        stopAll();
        await listener.close();
      },
    };
  } catch (error) {
    stopAll();
    throw error;
  }
}

/** Keys that are easily mistyped. */
const KNOWN = [
  ...[
    'staleness_interval',
    'staleness_response',
    'default_response',
    'interval',
    'is_json',
    'file_path',
    'url',
  ],
  ...['patterns', 'patterns_metric', 'thresholds', 'thresholds_metric', 'plugins', 'bind', 'port', 'name'],
];
