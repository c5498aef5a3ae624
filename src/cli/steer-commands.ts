// `herald drain`, `ready`, `maint`: what an operator wants of a gateway.

import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { userInfo } from 'node:os';
import type { GatewaySnapshot } from '../herald/core/balancer-types.ts';
import { adminFlags, adminTarget } from './ask-commands.ts';
import { askSuccess } from './admin-api.ts';
import { parseDurationMs } from './duration.ts';

interface SteerFlags {
  admin: string;
  token?: string;
  reason: string;
  for?: string;
  wait?: boolean;
}

const DEEDS = {
  drain: 'send no new connections and move the others away',
  maint: 'take it out of service at once; open connections stay',
  ready: 'let it take connections again',
} as const;

export function addSteerCommands(program: Command): void {
  for (const [deed, description] of Object.entries(DEEDS) as [keyof typeof DEEDS, string][]) {
    const command = adminFlags(program.command(`${deed} <gatewayId>`).description(description))
      .option('--reason <text>', 'shown in the table and kept with the state', '')
      .option('--wait', 'return when it is done (drain: when the last connection has gone)');
    if (deed !== 'ready') command.option('--for <duration>', 'lapses by itself, e.g. 30m');
    command.action((gatewayId: string, flags: SteerFlags) => steer(deed, gatewayId, flags));
  }
}

async function steer(deed: keyof typeof DEEDS, gatewayId: string, flags: SteerFlags): Promise<void> {
  const target = adminTarget(flags);
  const path = `/v1/gateways/${encodeURIComponent(gatewayId)}`;
  await askSuccess(target, `${path}/${deed}`, {
    reason: flags.reason,
    author: userInfo().username,
    ...(flags.for !== undefined && { forMs: parseDurationMs(flags.for, '--for') }),
  });
  console.log(`${gatewayId}: ${deed}${flags.for === undefined ? '' : ` for ${flags.for}`}`);
  if (!flags.wait) return;
  for (;;) {
    const gateway = await askSuccess<GatewaySnapshot>(target, path);
    if (reached(deed, gateway)) break;
    if (deed === 'drain') process.stderr.write(`\r${gateway.connections} connections left   `);
    await sleep(500);
  }
  process.stderr.write('\n');
  console.log(`${gatewayId}: done`);
}

function reached(deed: keyof typeof DEEDS, gateway: GatewaySnapshot): boolean {
  switch (deed) {
    case 'drain':
      return gateway.connections === 0;
    case 'maint':
      return gateway.effectiveState === 'maint';
    case 'ready':
      return gateway.effectiveState === 'up';
  }
}
