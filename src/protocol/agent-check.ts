// (5) HAProxy's agent-check, both directions. HAProxy ignores a whole line that lacks its newline or holds
// one word it does not know, so lines are built here and nowhere else (HAProxy 2.6 configuration manual,
// section 5.2 "agent-check").

import type { Decoded } from './decode.ts';
import { decoding, refuse } from './decode.ts';

export interface AgentAnswer {
  admin: 'ready' | 'drain' | 'maint';
  health: 'up' | 'down';
  /** Share of the server's configured weight, clamped to an integer 1..100; above 100 HAProxy would raise it. */
  weightPercent: number;
  /** Limit of the server's connections from now on; only where a configuration asks for it. */
  maxConnections?: number;
  /** For the operator; printed in HAProxy's log and stats page. */
  reason?: string;
}

export const AGENT_CHECK_LIMITS = { maxRequestBytes: 512, deadlineMs: 1_000 } as const;

/** One full line. All three words always: `100%` alone does not lift an earlier `maint` or `down`. */
export function encodeAgentAnswer(answer: AgentAnswer): string {
  const percent = Math.min(100, Math.max(1, Math.round(answer.weightPercent) || 1));
  const reason = answer.reason ? ` # ${answer.reason.replace(/[^\x20-\x7e]|[#%]/g, ' ').slice(0, 120)}` : '';
  const limit = answer.maxConnections === undefined ? '' : ` maxconn:${Math.trunc(answer.maxConnections)}`;
  return `${answer.admin} ${answer.health} ${percent}%${limit}${reason}\n`;
}

export interface AgentRequest {
  /** Empty when HAProxy sent a gateway id alone. */
  backend: string;
  server: string;
}

/** Decodes `backend/server` or `gatewayId`, as written in `agent-send`, without its newline. */
export function decodeAgentRequest(line: string): Decoded<AgentRequest> {
  return decoding(() => {
    const parts = /^(?:([A-Za-z0-9._:-]{1,128})\/)?([A-Za-z0-9._:-]{1,128})\r?$/.exec(line);
    if (!parts) return refuse('agent-send', line, '"backend/server\\n" or "gatewayId\\n"');
    return { backend: parts[1] ?? '', server: parts[2]! };
  });
}
