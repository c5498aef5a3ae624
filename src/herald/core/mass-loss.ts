// (2) The mass-loss guard: when more than half of a pool falls silent within one period, the likelier fault is
// ours (a cut network, a full socket table). The pool freezes: those names stay in use, breakers and the
// clients' alternates catch the ones that are really gone, and an alarm is raised.

import type { GatewayRecord, GatewaySlots } from './gateway-slots.ts';
import type { Pool } from './pool.ts';

/** With one or two gateways there is no majority to speak of. */
const FROM_GATEWAYS = 3;
/** While some report and others do not, the freeze ends after this: by then the silence is theirs. */
const PARTIAL_FREEZE_MS = 60_000;
/** While other pools are heard and nobody of this one is, after this: a deploy may have renamed it. */
const SILENT_FREEZE_MS = 600_000;

interface Freeze {
  /** Members lost since then are still served. */
  lostSinceMs: number;
  /** When the first member was heard again. */
  heardAtMs: number | undefined;
  /** Since when other pools are heard and no member is. */
  aloneAtMs: number | undefined;
}

export class MassLoss {
  readonly #slots: GatewaySlots;
  readonly #frozen = new Map<string, Freeze>();
  /** Pools with a member that is not lost. */
  readonly #heard = new Set<string>();

  constructor(slots: GatewaySlots) {
    this.#slots = slots;
  }

  isFrozen(pool: string): boolean {
    return this.#frozen.has(pool);
  }

  get anyFrozen(): boolean {
    return this.#frozen.size > 0;
  }

  /** True for a lost gateway that a frozen pool still names. */
  forgives(record: GatewayRecord): boolean {
    const freeze = this.#frozen.get(record.pool);
    return freeze !== undefined && record.lostAtMs >= freeze.lostSinceMs;
  }

  /** Freezes or thaws `pool`; true when that changed. While Herald's own sleep is fresh nothing is judged. */
  judge(pool: Pool, held: boolean, nowMs: number): boolean {
    if (held) return false;
    let present = 0;
    let heard = 0;
    let periodMs = 0;
    for (const slot of pool.members) {
      const record = this.#slots.records[slot]!;
      if (leaves(record)) continue;
      if (record.lostAtMs === Infinity) present++;
      if (!record.hearsay) heard++;
      periodMs = Math.max(periodMs, record.periodMs);
    }
    if (present > 0) this.#heard.add(pool.name);
    else this.#heard.delete(pool.name);
    const freeze = this.#frozen.get(pool.name);
    if (freeze)
      return this.#thaw(pool.name, freeze, present, this.#lostSince(pool, freeze.lostSinceMs), nowMs);

    // One period and its jitter: gateways cut off together go silent over that long.
    const sinceMs = nowMs - 1.2 * periodMs - 200;
    const lost = this.#lostSince(pool, sinceMs);
    // A Herald that starts from a snapshot and has heard nobody yet knows nothing better, however few they are.
    const enough = present + lost >= FROM_GATEWAYS || (heard === 0 && lost > 0);
    if (!enough || lost <= present) return false;
    const heardAtMs = present > 0 ? nowMs : undefined;
    this.#frozen.set(pool.name, { lostSinceMs: sinceMs, heardAtMs, aloneAtMs: undefined });
    return true;
  }

  /** The pool is no more. */
  forget(pool: string): void {
    this.#frozen.delete(pool);
    this.#heard.delete(pool);
  }

  #thaw(pool: string, freeze: Freeze, present: number, lost: number, nowMs: number): boolean {
    if (present === 0) freeze.heardAtMs = undefined;
    else freeze.heardAtMs ??= nowMs;
    if (present > 0 || this.#heard.size === 0) freeze.aloneAtMs = undefined;
    else freeze.aloneAtMs ??= nowMs;
    const lasted = (sinceMs: number | undefined, mostMs: number): boolean =>
      sinceMs !== undefined && nowMs - sinceMs > mostMs;
    const over =
      present > lost ||
      lasted(freeze.heardAtMs, PARTIAL_FREEZE_MS) ||
      lasted(freeze.aloneAtMs, SILENT_FREEZE_MS);
    if (over) this.#frozen.delete(pool);
    return over;
  }

  #lostSince(pool: Pool, sinceMs: number): number {
    let lost = 0;
    for (const slot of pool.members) {
      const record = this.#slots.records[slot]!;
      if (record.lostAtMs !== Infinity && record.lostAtMs >= sinceMs && !leaves(record)) lost++;
    }
    return lost;
  }
}

/** Was to fall silent: a deploy or a host with many gateways that stops is no fault of ours. */
function leaves(record: GatewayRecord): boolean {
  return record.announced !== 'up' || record.desired.state !== 'up';
}
