// What the edges ask of the core and what it answers: plain data both ways, so that HTTP, agent-check, the
// simulator and the tests all drive the very same decisions. Time (`nowMs`, monotonic) and chance come in.

import type { AgentAnswer } from '../../protocol/agent-check.ts';
import type { Directive, LoadReport, ShedOrder } from '../../protocol/load-report.ts';
import type { LookupRequest } from '../../protocol/lookup.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { Explanation } from './explanation.ts';

export const POLICY_NAMES = ['expected', 'p2c', 'least', 'weighted', 'random', 'round-robin'] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

/** `dry-run` decides and remembers but orders nothing. */
export const MOVER_MODES = ['on', 'dry-run', 'off'] as const;
export type MoverMode = (typeof MOVER_MODES)[number];

export type DesiredState = 'up' | 'drain' | 'maint';

/** What an operator wants of a gateway; outlives every process. */
export interface Desired {
  state: DesiredState;
  reason: string;
  author: string;
  /** Epoch ms when it lapses to `up`; 0 = never. Wall clock: it is the operator's. */
  untilEpochMs: number;
  /** Epoch ms when it was said, by the wall clock of the Herald that heard it: tells one order from the next. */
  saidEpochMs?: number;
}

export type GatewayState = 'up' | 'draining' | 'drain' | 'maint' | 'stale' | 'suspect' | 'expired';

export type ReportVerdict =
  | { taken: true; periodMs: number; directive?: Directive }
  | { taken: false; why: 'old-seq' | 'old-boot' | 'table-full' | 'url-refused'; periodMs: number };

export interface Pick {
  gateway: string;
  url: string;
  ticketSeq: number;
}

/** Which filter removed how many gateways. */
export type FilterName =
  | 'pool'
  | 'zone'
  | 'label'
  | 'excluded'
  | 'stale'
  | 'suspect'
  | 'draining'
  | 'maint'
  | 'full'
  | 'breaker'
  | 'overloaded';

/** How many gateways each filter removed, and the names of some. */
export type Removal = Map<FilterName, { count: number; names: string[] }>;

export type LookupVerdict =
  | { ok: true; lookupId: string; best: Pick; alternates: Pick[]; tableVersion: number; tableAgeMs: number }
  | {
      ok: false;
      lookupId: string;
      code: 'no-gateways' | 'none-eligible' | 'overloaded' | 'rate-limited' | 'starting';
      detail: string;
      refused: Partial<Record<FilterName, number>>;
      retryAfterMs: number;
    };

export interface GatewaySnapshot extends TableRow {
  effectiveState: GatewayState;
  /** The newest thing known of it came from another Herald and not from itself. */
  hearsay: boolean;
  desired: Desired;
  /** Expected load E: what lookups compare. */
  expectedScore: number;
  inFlightTickets: number;
  breaker: 'closed' | 'open' | 'trial';
  weightPercent: number;
  /** Lookups that named it, since this Herald started. */
  picks: number;
}

export interface TableSnapshot {
  version: number;
  /** Age of the newest report in it. */
  ageMs: number;
  frozen: boolean;
  gateways: GatewaySnapshot[];
}

/** An order to hand connections over, as `herald` remembers it. */
export interface MoverRecord extends ShedOrder {
  pool: string;
  gateway: string;
  atMs: number;
  /** `taken` once the answer to the gateway's next report carried it; `dry` in a dry run. */
  state: 'waiting' | 'taken' | 'lapsed' | 'dry';
  why: 'donor' | 'receivers';
}

export interface AutoscaleAdvice {
  desired: number;
  current: number;
  loadSum: number;
  loadAvg: number;
  loadMax: number;
  target: number;
  drainCandidates: string[];
  reason: string;
}

/** The state and judgement of one Herald. Synchronous, owns the table, never throws on any input it accepts. */
export interface Balancer {
  report(report: LoadReport, nowMs: number): ReportVerdict;
  lookup(request: LookupRequest, nowMs: number): LookupVerdict;
  /** The report connection of a gateway closed without a goodbye: suspect until its next report. */
  suspect(gateway: string, nowMs: number): void;
  /** A gateway said goodbye: not named until it reports again, and no loss. */
  leave(gateway: string, nowMs: number): void;
  setDesired(gateway: string, desired: Desired, nowMs: number): void;
  /** Rows learnt from other replicas or a snapshot; newest (bootId, seq) wins. `ageMs` is the row's at nowMs. */
  mergeRows(rows: readonly TableRow[], nowMs: number): void;
  /** Expiry, freeze, breaker clocks, mover and scaling rounds; call every 100 ms or so. */
  tick(nowMs: number): void;
  /** Whether this replica holds the mover lease: only then does `report` return shed orders. */
  setMoverLease(held: boolean): void;
  /**
   * `dry-run` decides and remembers but orders nothing; `off` stops at once. All pools when `pool` is absent,
   * including those to come.
   */
  setMoverMode(mode: MoverMode, pool?: string): void;
  /** Of every pool there is, and whether this replica's orders are carried out. */
  moverModes(): { leaseHeld: boolean; modes: Record<string, MoverMode> };
  /** The latest orders to move connections, newest last. */
  moverOrders(): readonly MoverRecord[];
  rows(nowMs: number): TableRow[];
  /** Which report of a gateway is the newest one known; undefined for a gateway that is not. */
  newest(gateway: string): { gateway: string; bootId: string; seq: number } | undefined;
  /** One row per gateway, so not for frequent questions; the three below are for those. */
  snapshot(nowMs: number): TableSnapshot;
  gateway(id: string, nowMs: number): GatewaySnapshot | undefined;
  /** Gateways in the table. */
  size(): number;
  /** Whether the mass-loss guard holds any pool. */
  isFrozen(): boolean;
  /** Whether what is known is from before a long sleep of this Herald: for a second, lookups get no answer from it. */
  isWaking(nowMs: number): boolean;
  /** Why that lookup got its answer; undefined when it is too long ago or was never here. */
  explain(lookupId: string, nowMs?: number): Explanation | undefined;
  agentAnswer(gateway: string, nowMs: number): AgentAnswer;
  autoscale(nowMs: number, pool: string): AutoscaleAdvice;
}
