// Every knob of the core with its default and reason. Times in ms, loads as ratios (1 = full).

import type { Ticket } from '../../protocol/ticket.ts';
import type { MoverMode, PolicyName } from './balancer-types.ts';
import type { ScoreLimits } from './score.ts';
import { DEFAULT_LIMITS } from './score.ts';

/** How one pool is balanced. */
export interface PoolPolicy {
  policy: PolicyName;
  /** Gateways looked at per lookup (d). Also the blast radius: nobody gets over d times its fair share. */
  draws: number;
  /** A new connection is refused when the best expected load is above this. */
  admitScore: number;
  /** The same for clients that resume or were told to move: they were let in once already. */
  admitReturningScore: number;
  /** CPU seconds one connect costs a gateway of capacity 1 (TLS, upgrade, hello). */
  handshakeSeconds: number;
  /** Claimed capacity counts up to this many times the pool's median; 0 = without bound. */
  maxCapacityRatio: number;
  /** A lookup leaves its zone when the best elsewhere is better by more than this. */
  zoneSpill: number;
  /** Keyed lookups leave their owner when its load passes the pool's mean by this factor, or by 0.1. */
  affinityBound: number;
  /** Most a gateway may get over its fair share of the last second's lookups; 0 = only `draws` bounds it. */
  shareCap: number;
  /** Lookups a second this Herald answers for the pool; 0 = no limit. */
  lookupsPerSec: number;
  lookupBurst: number;
  mover: MoverMode;
  /** Load per capacity the fleet is sized for. */
  sizeTarget: number;
  /** The same, with the largest loss it must survive: one gateway. */
  sizeTargetAfterLoss: number;
}

const DEFAULT_POOL_POLICY: PoolPolicy = {
  policy: 'expected',
  draws: 8,
  admitScore: 0.9,
  admitReturningScore: 0.95,
  handshakeSeconds: 0.002,
  maxCapacityRatio: 16,
  zoneSpill: 0.1,
  affinityBound: 1.25,
  shareCap: 0,
  lookupsPerSec: 0,
  lookupBurst: 0,
  mover: 'on',
  sizeTarget: 0.7,
  sizeTargetAfterLoss: 0.85,
};

/** Terms of the expected load that a test may take out to show that they are needed. Never set in production. */
export interface LeftOut {
  young?: boolean;
  pending?: boolean;
  handshake?: boolean;
  observer?: boolean;
  floor?: boolean;
}

export interface BalancerOptions {
  /** This Herald's id, as gateways name it in `tickets`. */
  heraldId: string;
  /** Uniform in [0, 1). */
  random: () => number;
  limits?: Partial<ScoreLimits>;
  /** By pool name; a pool not listed uses `defaultPool`. */
  pools?: Record<string, Partial<PoolPolicy>>;
  defaultPool?: Partial<PoolPolicy>;
  /** How often gateways are asked to report. */
  periodMs?: number;
  /** A gateway whose report is older is not named; a gateway with a longer period gets four of its periods. */
  staleAfterMs?: number;
  forgetAfterMs?: number;
  maxGateways?: number;
  /** Announced URLs that may be handed out; all when absent. */
  allowUrl?: (url: string) => boolean;
  /** Lookups that `explain` remembers; 0 turns it off. */
  explainLookups?: number;
  /** Whether a ticket that a client names as failed is one of ours for `gateway`; all are when absent. */
  isSigned?: (gateway: string, ticket: Ticket) => boolean;
  /** The first ticket number; a restarted Herald with the same id and keys must not repeat old ones. */
  firstTicketSeq?: number;
  leftOut?: LeftOut;
}

export interface CoreSettings {
  heraldId: string;
  random: () => number;
  limits: ScoreLimits;
  periodMs: number;
  staleAfterMs: number;
  forgetAfterMs: number;
  maxGateways: number;
  allowUrl: (url: string) => boolean;
  explainLookups: number;
  isSigned: (gateway: string, ticket: Ticket) => boolean;
  firstTicketSeq: number;
  leftOut: LeftOut;
  poolPolicy: (pool: string) => PoolPolicy;
}

export function settingsOf(options: BalancerOptions): CoreSettings {
  return {
    heraldId: options.heraldId,
    random: options.random,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    periodMs: options.periodMs ?? 500,
    staleAfterMs: options.staleAfterMs ?? 2_000,
    forgetAfterMs: options.forgetAfterMs ?? 30_000,
    maxGateways: options.maxGateways ?? 100_000,
    allowUrl: options.allowUrl ?? (() => true),
    explainLookups: options.explainLookups ?? 10_000,
    isSigned: options.isSigned ?? (() => true),
    firstTicketSeq: options.firstTicketSeq ?? 1,
    leftOut: options.leftOut ?? {},
    poolPolicy: (pool) => ({
      ...DEFAULT_POOL_POLICY,
      ...options.defaultPool,
      ...(options.pools && Object.hasOwn(options.pools, pool) ? options.pools[pool] : {}),
    }),
  };
}
