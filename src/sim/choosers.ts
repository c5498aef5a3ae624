// Who tells a simulated client where to connect: one or more real Heralds (the production core, not a copy),
// HAProxies with least-connections, or an oracle that knows what each connection will cost.

import { createBalancer } from '../herald/core/balancer.ts';
import type { LeftOut } from '../herald/core/balancer-options.ts';
import type { Balancer, PolicyName } from '../herald/core/balancer-types.ts';
import { POLICY_NAMES } from '../herald/core/balancer-types.ts';
import type { Directive, LoadReport } from '../protocol/load-report.ts';
import type { LookupIntent, LookupRequest } from '../protocol/lookup.ts';
import { DEFAULT_LOOKUP } from '../protocol/lookup.ts';
import { encodeTicket } from '../protocol/ticket.ts';
import type { Random } from './chance.ts';
import type { GatewayModel } from './gateway-model.ts';

export const SIM_POLICIES = [...POLICY_NAMES, 'leastconn', 'oracle'] as const;
export type SimPolicy = (typeof SIM_POLICIES)[number];

/** What a client is told. `gateway` -1: come back after `waitMs`. */
export interface Answer {
  gateway: number;
  replica: number;
  ticketSeq: number;
  waitMs: number;
}

export interface Ask {
  intent: LookupIntent;
  /** The pick that failed before this lookup. */
  failed?: Answer | undefined;
}

export interface Chooser {
  lookup(ask: Ask, nowMs: number): Answer;
  /** A report on its way to every replica. */
  report(report: LoadReport, nowMs: number): Directive | undefined;
  /** The gateway's connections to the replicas closed. */
  lost(gateway: GatewayModel, nowMs: number): void;
  /** A connection that went through this answer has ended. */
  ended(gateway: number, replica: number): void;
  tick(nowMs: number): void;
}

export interface HeraldsOptions {
  policy: PolicyName;
  replicas: number;
  /** Share of the clients that ask each replica; equal when absent. */
  replicaShares?: readonly number[];
  moves: boolean;
  handshakeSeconds: number;
  leftOut?: LeftOut;
}

const REPORT_LOSS = 0.01;
/** A failed pick is named with its ticket; without an `isSigned` the core takes any. */
const ANY_SIGNATURE = 'A'.repeat(22);
const NOBODY_WAIT_MS = 2_000;

export function heralds(options: HeraldsOptions, fleet: readonly GatewayModel[], random: Random): Chooser {
  const ids = Array.from({ length: options.replicas }, (_, i) => `herald-${i + 1}`);
  const balancers: Balancer[] = ids.map((heraldId) =>
    createBalancer({
      heraldId,
      random,
      defaultPool: {
        policy: options.policy,
        mover: options.moves ? 'on' : 'off',
        handshakeSeconds: options.handshakeSeconds,
      },
      explainLookups: 0,
      ...(options.leftOut && { leftOut: options.leftOut }),
    }),
  );
  if (options.moves) balancers[0]!.setMoverLease(true);
  const limits = shareLimits(options.replicas, options.replicaShares);
  const request: LookupRequest = { ...DEFAULT_LOOKUP, alternates: 0 };

  return {
    lookup({ intent, failed }, nowMs) {
      const chance = random();
      const replica = limits.findIndex((limit) => chance < limit);
      request.intent = intent;
      request.exclude = failed ? [fleet[failed.gateway]!.id] : [];
      request.failedTicket = failed
        ? encodeTicket({
            heraldId: ids[failed.replica]!,
            seq: failed.ticketSeq,
            issuedMs: 0,
            mac: ANY_SIGNATURE,
          })
        : '';
      const verdict = balancers[replica]!.lookup(request, nowMs);
      if (!verdict.ok) return { gateway: -1, replica, ticketSeq: -1, waitMs: verdict.retryAfterMs };
      const gateway = Number(verdict.best.gateway.slice(3)) - 1;
      return { gateway, replica, ticketSeq: verdict.best.ticketSeq, waitMs: 0 };
    },
    report(report, nowMs) {
      let directive: Directive | undefined;
      for (const balancer of balancers) {
        if (random() < REPORT_LOSS) continue;
        const verdict = balancer.report(report, nowMs);
        if (verdict.taken && verdict.directive) directive = verdict.directive;
      }
      return directive;
    },
    lost(gateway, nowMs) {
      for (const balancer of balancers) balancer.suspect(gateway.id, nowMs);
    },
    ended: () => {},
    tick(nowMs) {
      for (const balancer of balancers) balancer.tick(nowMs);
    },
  };
}

function shareLimits(replicas: number, shares: readonly number[] | undefined): number[] {
  const parts = Array.from({ length: replicas }, (_, i) => shares?.[i] ?? 1);
  const sum = parts.reduce((total, part) => total + part, 0);
  let below = 0;
  const limits = parts.map((part) => (below += part / sum));
  limits[replicas - 1] = 1;
  return limits;
}

const PROXIES = 4;

/** `balance leastconn` on four HAProxies: each counts only the connections that it carries itself. */
export function leastConnections(fleet: readonly GatewayModel[], random: Random): Chooser {
  const counts = Array.from({ length: PROXIES }, () => new Map<number, number>());
  return {
    lookup() {
      const replica = Math.floor(random() * PROXIES);
      const own = counts[replica]!;
      let gateway = -1;
      let least = Infinity;
      const start = Math.floor(random() * fleet.length);
      for (let i = 0; i < fleet.length; i++) {
        const one = fleet[(start + i) % fleet.length]!;
        const count = (own.get(one.index) ?? 0) / one.claimedCapacity;
        if (!one.up || count >= least) continue;
        gateway = one.index;
        least = count;
      }
      if (gateway < 0) return { gateway, replica, ticketSeq: -1, waitMs: NOBODY_WAIT_MS };
      own.set(gateway, (own.get(gateway) ?? 0) + 1);
      return { gateway, replica, ticketSeq: -1, waitMs: 0 };
    },
    report: () => undefined,
    lost(gateway) {
      for (const own of counts) own.delete(gateway.index);
    },
    ended(gateway, replica) {
      const own = counts[replica];
      if (own) own.set(gateway, Math.max(0, (own.get(gateway) ?? 0) - 1));
    },
    tick: () => {},
  };
}

/** Knows the cost of everything already sent anywhere: a bound that no real policy reaches. */
export function oracle(fleet: readonly GatewayModel[]): Chooser {
  return {
    lookup() {
      let gateway = -1;
      let least = Infinity;
      for (const one of fleet) {
        const load = one.committed / one.capacity + one.stolen;
        if (!one.up || load >= least) continue;
        gateway = one.index;
        least = load;
      }
      return { gateway, replica: -1, ticketSeq: -1, waitMs: gateway < 0 ? NOBODY_WAIT_MS : 0 };
    },
    report: () => undefined,
    lost: () => {},
    ended: () => {},
    tick: () => {},
  };
}
