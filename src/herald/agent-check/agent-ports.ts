// Starts every agent-check listener: the central one, the ports that speak for one gateway each, for a HAProxy
// that sends no agent-send line, and those that files of helpshift/herald ask for.

import type { Address } from '../../daemon/address.ts';
import type { Clock } from '../../daemon/clock.ts';
import { StartError } from '../../daemon/lifecycle.ts';
import type { Log } from '../../daemon/log.ts';
import type { AgentCheckServer } from './agent-check-server.ts';
import { startAgentCheck } from './agent-check-server.ts';
import type { AgentDesk } from './agent-desk.ts';
import type { HeraldConfig } from '../config/herald-options.ts';
import type { HeraldMeters } from '../status/herald-meters.ts';
import { startHelpshiftAgent } from '../helpshift/helpshift-agent.ts';
import { readHelpshift } from '../helpshift/read-helpshift.ts';
import { optionPairs } from '../config/option-pairs.ts';
import { allowedPeers } from '../config/private-ports.ts';

export interface AgentPorts {
  /** Of the central listener. */
  address: Address;
  close(): Promise<void>;
}

/** Parses `agentPorts`; throws a StartError that names the entry. */
export function fixedAgentPorts(config: HeraldConfig): { port: number; server: string }[] {
  return optionPairs(config.agentPorts, '--agent-ports', 'port=gateway').map(([port, gateway]) => {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      throw new StartError(`--agent-ports ${port}=${gateway}: ${port} is not a port`);
    }
    return { port: Number(port), server: gateway };
  });
}

export interface AgentPortsParts {
  config: HeraldConfig;
  /** Of the central listener. */
  listen: Address;
  desk: AgentDesk;
  meters: HeraldMeters;
  clock: Clock;
  log: Log;
}

export async function startAgentPorts(parts: AgentPortsParts): Promise<AgentPorts> {
  const { config, listen, desk, meters, clock, log } = parts;
  const files = config.helpshift.map(readHelpshift);
  const allowed = allowedPeers(config.agentAllow);
  const common = {
    answer: (request: Parameters<AgentDesk['answer']>[0]) => desk.answer(request, clock.nowMs()),
    allowed,
    onEnd: (outcome: string) => meters.agentCheck(outcome),
  };
  const fixed = fixedAgentPorts(config);
  const central = await startAgentCheck(listen, '--agent-listen', common);
  const servers: AgentCheckServer[] = [central];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    for (const { port, server } of fixed) {
      const options = { ...common, fixed: { backend: '', server } };
      servers.push(await startAgentCheck({ host: listen.host, port }, '--agent-ports', options));
    }
    for (const file of files) {
      const parts = { desk, onEnd: common.onEnd, clock, log };
      const open = config.agentAllow.length === 0;
      servers.push(await startHelpshiftAgent(file, { ...parts, allowed: open ? undefined : allowed }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { address: central.address, close };
}
