// (5) What agent-check is told for a server: which gateway is meant, and the times at which the table is not the
// one to ask: right after the start, while it knows nobody at all (what /readyz calls unready), and at the end.

import type { AgentAnswer, AgentRequest } from '../../protocol/agent-check.ts';
import type { Balancer } from '../core/balancer-types.ts';

export interface AgentDeskParts {
  balancer: Balancer;
  /** `backend/server` or `server` to gateway id, where the names differ. */
  servers: ReadonlyMap<string, string>;
  startedMs: number;
  /** How long after the start a gateway may be unknown just because it has not reported yet. */
  warmUpMs: number;
}

export interface AgentDesk {
  answer(request: AgentRequest, nowMs: number): AgentAnswer;
  /**
   * From now on every judgement is neutral, since HAProxy keeps the last word of an agent that is gone for
   * ever. What an operator asked for stands: it is not a judgement.
   */
  stop(nowMs: number): void;
  stopping(): boolean;
  /** Notes that HAProxy asked, here or at a port that answers for itself. */
  asked(nowMs: number): void;
  /** When HAProxy last asked; -Infinity = never. */
  lastAskedMs(): number;
}

export function createAgentDesk(parts: AgentDeskParts): AgentDesk {
  const { balancer, servers, startedMs, warmUpMs } = parts;
  /** Set once stopping: the gateways an operator wants out, whose word outlives this Herald. */
  let steered: ReadonlySet<string> | undefined;
  let lastAskedMs = -Infinity;
  const gatewayOf = ({ backend, server }: AgentRequest): string =>
    servers.get(`${backend}/${server}`) ?? servers.get(server) ?? server;

  return {
    answer(request, nowMs) {
      lastAskedMs = nowMs;
      const gateway = gatewayOf(request);
      const answer = balancer.agentAnswer(gateway, nowMs);
      if (steered !== undefined) return steered.has(gateway) ? answer : neutral('herald stopping');
      if (answer.admin !== 'ready' || (answer.health === 'up' && nowMs - startedMs >= warmUpMs))
        return answer;
      if (balancer.newest(gateway) !== undefined) return answer;
      if (nowMs - startedMs < warmUpMs) return neutral('herald starting');
      // A Herald that nobody reports to may be the one that is cut off: it must not take a whole backend down.
      return balancer.size() === 0 ? neutral('herald knows no gateway') : answer;
    },
    stop(nowMs) {
      const rows = balancer.snapshot(nowMs).gateways;
      steered = new Set(rows.filter((row) => row.desired.state !== 'up').map((row) => row.gateway));
    },
    stopping: () => steered !== undefined,
    asked: (nowMs) => void (lastAskedMs = nowMs),
    lastAskedMs: () => lastAskedMs,
  };
}

/** Says nothing of the server that HAProxy does not think already. */
export function neutral(reason: string): AgentAnswer {
  return { admin: 'ready', health: 'up', weightPercent: 100, reason };
}
