// (2) Which gateways may be named at all: wanted up, announced up, and heard lately, or lost together with so
// many others that the fault is probably ours.

import type { GatewayState } from './balancer-types.ts';
import type { GatewayRoster } from './gateway-roster.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import { OPEN, REPORTED_AT, SHUT, STALE_AFTER, STRIDE } from './gateway-slots.ts';
import { MassLoss } from './mass-loss.ts';
import type { Pool } from './pool.ts';
import { SleepGuard } from './sleep-guard.ts';

/** A silent gateway is forgotten after this many times the silence that made it stale, if that is longer. */
const FORGET_STALES = 5;

export class Standings {
  readonly massLoss: MassLoss;
  readonly sleep = new SleepGuard();
  readonly #roster: GatewayRoster;

  constructor(roster: GatewayRoster) {
    this.#roster = roster;
    this.massLoss = new MassLoss(roster.slots);
  }

  /** Renews OPEN and, when it changed, everything built on it. */
  renew(record: GatewayRecord, nowMs: number): void {
    const at = record.slot * STRIDE;
    const hot = this.#roster.slots.hot;
    const silent = this.isSilent(record, nowMs);
    if (!silent && !record.suspect) record.lostAtMs = Infinity;
    else if (record.lostAtMs === Infinity) record.lostAtMs = nowMs;
    const wanted = record.desired.state === 'up' && record.announced === 'up';
    const here = record.lostAtMs === Infinity || this.massLoss.forgives(record);
    const open = wanted && here ? record.poolNumber : SHUT;
    if (hot[at + OPEN] === open) return;
    hot[at + OPEN] = open;
    const pool = this.#roster.poolOf(record);
    if (open === SHUT) pool.lossMargin -= 2;
    this.#roster.changed(pool);
  }

  isSilent(record: GatewayRecord, nowMs: number): boolean {
    const at = record.slot * STRIDE;
    const hot = this.#roster.slots.hot;
    return nowMs - hot[at + REPORTED_AT]! > hot[at + STALE_AFTER]! + this.sleep.graceMs(nowMs);
  }

  state(record: GatewayRecord, nowMs: number): GatewayState {
    if (record.desired.state === 'maint') return 'maint';
    if (record.desired.state === 'drain') return 'drain';
    if (record.announced === 'draining') return 'draining';
    if (record.suspect) return 'suspect';
    return this.isSilent(record, nowMs) ? 'stale' : 'up';
  }

  /** Freezes or thaws the pool; true when that changed who may be named. */
  judge(pool: Pool, nowMs: number): boolean {
    if (!this.massLoss.judge(pool, this.sleep.holds(nowMs), nowMs)) return false;
    this.#renewAll(pool, nowMs);
    return true;
  }

  /** Before each answer: what happened since the last tick may have been a mass loss, or the end of a sleep. */
  catchUp(pool: Pool, nowMs: number): void {
    this.sleep.notice(nowMs);
    if (pool.lossMargin < 0) this.judge(pool, nowMs);
  }

  /** Of a lost gateway the loss counts only while it is wanted up: what is wanted of it changed. */
  wanted(record: GatewayRecord, nowMs: number): void {
    this.renew(record, nowMs);
    if (record.lostAtMs === Infinity || this.massLoss.isFrozen(record.pool)) return;
    this.#roster.poolOf(record).lossMargin = -1;
  }

  /** For an answer about silent gateways that cannot wait for the tick; true when somebody may be named now. */
  judgeSilent(pool: Pool, nowMs: number): boolean {
    this.#renewAll(pool, nowMs);
    return this.judge(pool, nowMs);
  }

  /** Silent for so long that nothing known of it is worth keeping. */
  isForgotten(record: GatewayRecord, forgetAfterMs: number, nowMs: number): boolean {
    const hot = this.#roster.slots.hot;
    const at = record.slot * STRIDE;
    const afterMs = Math.max(forgetAfterMs, FORGET_STALES * hot[at + STALE_AFTER]!);
    return nowMs - hot[at + REPORTED_AT]! > afterMs && !this.massLoss.forgives(record);
  }

  #renewAll(pool: Pool, nowMs: number): void {
    for (const slot of pool.members) this.renew(this.#roster.slots.records[slot]!, nowMs);
  }
}
