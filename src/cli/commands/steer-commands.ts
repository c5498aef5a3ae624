// `herald drain`, `ready`, `maint`: what an operator wants of a gateway. `herald mover` stands beside them.

import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../daemon/lifecycle.ts';
import type { GatewaySnapshot } from '../../herald/core/balancer-types.ts';
import type { Target } from '../admin-api.ts';
import { askJson, askSuccess, NoHerald, refusal } from '../admin-api.ts';
import type { AdminFlags } from '../flags/herald-flags.ts';
import { adminFlags, adminTarget } from '../flags/herald-flags.ts';
import { counted } from '../../checks/core/counted.ts';
import { parseDurationMs } from '../flags/duration.ts';
import { author } from '../flags/given.ts';
import { addMoverCommand } from './mover-command.ts';

interface SteerFlags extends AdminFlags {
  reason?: string;
  for?: string;
  wait?: boolean;
}

const POLL_MS = 500;
const NOT_THERE = 404;
/** How long a Herald may be away before a wait is given up: one that is deployed is back within seconds. */
const AWAY_AT_MOST_MS = 60_000;
/** A Herald that has just started may not have heard of the gateway, or of what is wanted of it. */
const HEARD_WITHIN_MS = 5_000;

/** As long as a Herald takes. */
const LONGEST = '90d';

const DEEDS = {
  drain: {
    state: 'drain',
    does: 'send no new connections and move the others away',
    done: 'the last connection has gone',
  },
  maint: {
    state: 'maint',
    does: 'take it out of service at once; open connections stay',
    done: 'nobody is sent there any more',
  },
  ready: { state: 'up', does: 'let it take connections again', done: 'it takes them' },
} as const;

export function addSteerCommands(program: Command): void {
  for (const deed of Object.keys(DEEDS) as (keyof typeof DEEDS)[]) {
    const { does, done } = DEEDS[deed];
    const command = adminFlags(program.command(`${deed} <gatewayId>`).description(does))
      .option('--reason <text>', 'shown in the table and kept with the state')
      .option('--wait', `return when ${done}`);
    if (deed !== 'ready') command.option('--for <duration>', 'lapses by itself, e.g. 30m');
    command.action((gatewayId: string, flags: SteerFlags) => steer(deed, gatewayId, flags));
  }
  addMoverCommand(program);
}

async function steer(deed: keyof typeof DEEDS, gatewayId: string, flags: SteerFlags): Promise<void> {
  const target = adminTarget(flags);
  const forMs = flags.for === undefined ? undefined : parseDurationMs(flags.for, '--for', LONGEST);
  // To Herald 0 means without an end, the opposite of what was asked for.
  if (forMs === 0) throw new StartError(`--for ${String(flags.for)}: expected at least 1s`);
  const path = `/v1/gateways/${encodeURIComponent(gatewayId)}`;
  const { shared } = await askSuccess<{ shared: boolean }>(target, `${path}/${deed}`, 'shared', {
    reason: flags.reason ?? '',
    author: author(),
    ...(forMs !== undefined && { forMs }),
  });
  console.log(`${gatewayId}: ${deed}${flags.for === undefined ? '' : ` for ${flags.for}`}`);
  if (!shared) console.error('the store is away: this holds at that Herald alone until it is back');
  if (!flags.wait) return;
  await waitUntilDone(deed, target, path);
  console.log(`${gatewayId}: done`);
}

/**
 * Shows the connections that are left, in place on a terminal. A drained gateway that ended is done too. Throws a
 * StartError when something else is wanted of the gateway, or Herald refuses to answer.
 */
async function waitUntilDone(deed: keyof typeof DEEDS, target: Target, path: string): Promise<void> {
  const { isTTY } = process.stderr;
  let left = -1;
  const endLine = (): void => {
    if (isTTY && left >= 0) process.stderr.write('\n');
    left = -1;
  };
  const ask = patientAsk(target, path, endLine);
  try {
    for (;;) {
      const { status, value, retryAfterMs, isSettled } = await ask();
      if (status === NOT_THERE) {
        if (deed === 'drain' && isSettled) return;
        await sleep(POLL_MS);
        continue;
      }
      if (status !== 200) throw refusal(target, status, value, retryAfterMs);
      const gateway = value as GatewaySnapshot;
      if (reached(deed, gateway)) return;
      if (isSettled && gateway.desired.state !== DEEDS[deed].state) {
        throw new StartError(`${gateway.gateway}: not done; it is wanted ${gateway.desired.state} again`);
      }
      if (deed === 'drain' && gateway.connections !== left) {
        left = gateway.connections;
        const words = `${counted(left, 'connection')} left`;
        process.stderr.write(isTTY ? `\r${words}   ` : `${words}\n`);
      }
      await sleep(POLL_MS);
    }
  } finally {
    endLine();
  }
}

/**
 * Asks as `askJson` does, and goes on asking a Herald that is away. `isSettled` is false for a while after its return.
 * Throws NoHerald when it does not return in time.
 */
function patientAsk(
  target: Target,
  path: string,
  onSilence: () => void,
): () => Promise<Awaited<ReturnType<typeof askJson>> & { isSettled: boolean }> {
  let settledAtMs = -Infinity;
  let giveUpMs: number | undefined;
  return async () => {
    for (;;) {
      try {
        const answer = await askJson(target, path);
        const nowMs = performance.now();
        if (giveUpMs !== undefined) settledAtMs = nowMs + HEARD_WITHIN_MS;
        giveUpMs = undefined;
        return { ...answer, isSettled: nowMs >= settledAtMs };
      } catch (error) {
        if (!(error instanceof NoHerald) || performance.now() >= (giveUpMs ?? Infinity)) throw error;
        if (giveUpMs === undefined) {
          onSilence();
          console.error(`${target.url} is silent; waiting up to ${AWAY_AT_MOST_MS / 1_000} s for its return`);
          giveUpMs = performance.now() + AWAY_AT_MOST_MS;
        }
      }
      await sleep(POLL_MS);
    }
  };
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
