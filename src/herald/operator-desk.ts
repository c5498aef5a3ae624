// What operators want of gateways: drain, maint, ready. Applied here at once, shared through the store, kept
// in the audit.

import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Balancer, Desired, DesiredState } from './core/balancer-types.ts';
import type { TrafficLog } from './traffic-log.ts';

export interface OperatorWish {
  gateway: string;
  state: DesiredState;
  reason: string;
  author: string;
  /** How long, in ms; 0 = until somebody says otherwise. */
  forMs: number;
}

export interface OperatorDesk {
  /** `shared` is false when the store is away: it holds at this Herald alone until the store is back. */
  set(wish: OperatorWish): Promise<{ desired: Desired; shared: boolean }>;
}

export type ShareDesired = (gateway: string, desired: Desired) => Promise<boolean>;

const ACTIONS: Record<DesiredState, string> = { up: 'ready', drain: 'drain', maint: 'maint' };

export function createOperatorDesk(
  balancer: Balancer,
  traffic: TrafficLog,
  share: ShareDesired,
  clock: Clock,
  log: Log,
): OperatorDesk {
  return {
    async set({ gateway, state, reason, author, forMs }) {
      const saidEpochMs = clock.epochMs();
      const untilEpochMs = forMs > 0 ? saidEpochMs + forMs : 0;
      const desired: Desired = { state, reason, author, untilEpochMs, saidEpochMs };
      balancer.setDesired(gateway, desired, clock.nowMs());
      const action = ACTIONS[state];
      const until = untilEpochMs > 0 ? new Date(untilEpochMs).toISOString() : '';
      traffic.acted({ at: new Date(clock.epochMs()).toISOString(), author, action, gateway, reason, until });
      log.info('operator-action', { action, gateway, author, reason, until });
      return { desired, shared: await share(gateway, desired) };
    },
  };
}
