// The configuration of one Herald as a whole: what no single option can tell. For `herald config check`; the
// daemon meets the same refusals, by the same functions, on its way up.

import { fixedAgentPorts } from './agent-ports.ts';
import { balancerSettings } from './balancer-settings.ts';
import type { HeraldConfig } from './herald-options.ts';
import { optionPairs } from './option-pairs.ts';
import { allowedPeers, listenAddresses } from './private-ports.ts';

/** Throws a StartError that names the option. */
export function checkConfig(config: HeraldConfig): void {
  listenAddresses(config);
  allowedPeers(config.agentAllow);
  fixedAgentPorts(config);
  optionPairs(config.agentServers, '--agent-servers', 'backend/server=gateway');
  balancerSettings(config, 'herald', 0, () => 0);
}
