// (4) What operators want: drain, maint, ready of a gateway, applied here at once and shared through the store; the
// mover on, dry or off, at this Herald. All of it is kept in the audit.

import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Balancer, Desired, DesiredState, MoverMode } from './core/balancer-types.ts';
import type { OperatorAction, TrafficLog } from './status/traffic-log.ts';

export interface OperatorWish {
  gateway: string;
  state: DesiredState;
  reason: string;
  author: string;
  /** How long, in ms; 0 = until somebody says otherwise. */
  forMs: number;
}

export interface MoverWish {
  mode: MoverMode;
  /** Undefined = all pools. */
  pool: string | undefined;
  reason: string;
  author: string;
}

export interface OperatorDesk {
  /** `shared` is false when the store is away: it holds at this Herald alone until the store is back. */
  set(wish: OperatorWish): Promise<{ desired: Desired; shared: boolean }>;
  setMover(wish: MoverWish): void;
}

export type ShareDesired = (gateway: string, desired: Desired) => Promise<boolean>;

const ACTIONS: Record<DesiredState, string> = { up: 'ready', drain: 'drain', maint: 'maint' };

export interface OperatorDeskParts {
  balancer: Balancer;
  traffic: TrafficLog;
  share: ShareDesired;
  clock: Clock;
  log: Log;
}

export function createOperatorDesk({
  balancer,
  traffic,
  share,
  clock,
  log,
}: OperatorDeskParts): OperatorDesk {
  const acted = (deed: Omit<OperatorAction, 'at'>): void => {
    traffic.acted({ at: new Date(clock.epochMs()).toISOString(), ...deed });
    log.info('operator-action', { ...deed });
  };
  return {
    async set({ gateway, state, reason, author, forMs }) {
      const saidEpochMs = clock.epochMs();
      const untilEpochMs = forMs > 0 ? saidEpochMs + forMs : 0;
      const desired: Desired = { state, reason, author, untilEpochMs, saidEpochMs };
      balancer.setDesired(gateway, desired, clock.nowMs());
      const action = ACTIONS[state];
      const until = untilEpochMs > 0 ? new Date(untilEpochMs).toISOString() : '';
      acted({ author, action, gateway, reason, until });
      return { desired, shared: await share(gateway, desired) };
    },
    setMover({ mode, pool, reason, author }) {
      balancer.setMoverMode(mode, pool);
      acted({ author, action: `mover ${mode}`, gateway: pool ?? '', reason, until: '' });
    },
  };
}
