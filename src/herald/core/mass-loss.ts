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
  judgedAtMs: number;
  /** For how long some members were heard, in all. */
  heardMs: number;
  /** For how long other pools were heard and no member was. */
  aloneMs: number;
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

  /** Freezes or thaws `pool`; true when that changed. While Herald's own sleep is fresh (`held`) nobody is given up. */
  judge(pool: Pool, held: boolean, nowMs: number): boolean {
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
    if (freeze) {
      const sinceMs = nowMs - freeze.judgedAtMs;
      freeze.judgedAtMs = nowMs;
      if (held || !this.#isOver(pool, freeze, present, sinceMs)) return false;
      this.#frozen.delete(pool.name);
      pool.lossMargin = 0;
      return true;
    }
    // One period and its jitter: gateways cut off together go silent over that long.
    const sinceMs = nowMs - 1.2 * periodMs - 200;
    const lost = this.#lostSince(pool, sinceMs);
    // A Herald that starts from a snapshot and has heard nobody yet knows nothing better, however few they are.
    const enough = present + lost >= FROM_GATEWAYS || (heard === 0 && lost > 0);
    const freezes = enough && lost > present;
    pool.lossMargin = freezes ? Infinity : Math.max(0, present - lost);
    if (freezes) {
      this.#frozen.set(pool.name, { lostSinceMs: sinceMs, judgedAtMs: nowMs, heardMs: 0, aloneMs: 0 });
    }
    return freezes;
  }

  /** The pool is no more. */
  forget(pool: string): void {
    this.#frozen.delete(pool);
    this.#heard.delete(pool);
  }

  /** `sinceMs` after it was judged last. */
  #isOver(pool: Pool, freeze: Freeze, present: number, sinceMs: number): boolean {
    if (present > 0) freeze.heardMs += sinceMs;
    else if (this.#heard.size > 0) freeze.aloneMs += sinceMs;
    return (
      present > this.#lostSince(pool, freeze.lostSinceMs) ||
      freeze.heardMs > PARTIAL_FREEZE_MS ||
      freeze.aloneMs > SILENT_FREEZE_MS
    );
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
