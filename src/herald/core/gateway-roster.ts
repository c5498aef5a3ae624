// (2) Who is in the load table: every gateway's slot, its pool, what it says of itself and whether operators
// want it. Each change of who may be named counts up the version of its pool, by which views know they are old.

import type { LoadReport } from '../../protocol/load-report.ts';
import type { TableRow } from '../../protocol/table-row.ts';
import type { CoreSettings } from './balancer-options.ts';
import type { Desired } from './balancer-types.ts';
import type { GatewayRecord } from './gateway-slots.ts';
import {
  GatewaySlots,
  INVERSE_CAPACITY,
  LATE_AFTER,
  STALE_AFTER,
  STRIDE,
  WANTED_UP,
} from './gateway-slots.ts';
import { sameLabels } from './label-index.ts';
import { Pool } from './pool.ts';

/** A gateway with a long period is stale after this many of them. */
const STALE_PERIODS = 4;
const LONGEST_STALE_MS = 60_000;
const LATE_PERIODS = 3;

export class GatewayRoster {
  readonly slots = new GatewaySlots();
  readonly pools = new Map<string, Pool>();
  /** Grows with every change of who may be named. */
  version = 0;
  #poolsMade = 0;
  readonly #settings: CoreSettings;
  readonly #desired = new Map<string, Desired>();

  constructor(settings: CoreSettings) {
    this.#settings = settings;
  }

  get isFull(): boolean {
    return this.slots.size >= this.#settings.maxGateways;
  }

  /** Remembers what operators want of `gateway`, known or not; returns what they wanted before. */
  want(gateway: string, desired: Desired): Desired['state'] {
    const before = this.#desired.get(gateway)?.state ?? 'up';
    // An `up` without a gateway to tell needs no place in memory.
    if (desired.state === 'up' && !this.slots.get(gateway)) this.#desired.delete(gateway);
    else if (this.#desired.has(gateway) || this.#desired.size < this.#settings.maxGateways) {
      this.#desired.set(gateway, desired);
    }
    return before;
  }

  /** `bornAtLookup`: lookups answered so far. */
  add(gateway: string, bornAtLookup: number): GatewayRecord {
    const record = this.slots.add(gateway, bornAtLookup);
    record.desired = this.#desired.get(gateway) ?? WANTED_UP;
    return record;
  }

  remove(record: GatewayRecord): void {
    if (record.desired.state === 'up') this.#desired.delete(record.gateway);
    const pool = this.poolOf(record);
    pool.leave(record);
    this.slots.remove(record);
    this.changed(pool);
  }

  /** Forgets pools without members; returns their names. */
  forgetEmpty(): string[] {
    const gone: string[] = [];
    for (const [name, { members }] of this.pools) {
      if (members.size > 0) continue;
      this.pools.delete(name);
      gone.push(name);
    }
    return gone;
  }

  poolOf(record: GatewayRecord): Pool {
    return this.pool(record.pool);
  }

  pool(name: string): Pool {
    let pool = this.pools.get(name);
    if (!pool) {
      pool = new Pool(name, ++this.#poolsMade, this.#settings.poolPolicy(name), this.slots);
      this.pools.set(name, pool);
    }
    return pool;
  }

  /** Takes over what a report or row says of the gateway itself; a change moves it between pools and views. */
  place(record: GatewayRecord, said: LoadReport | TableRow): void {
    const hot = this.slots.hot;
    const at = record.slot * STRIDE;
    const moves = record.pool !== said.pool;
    if (
      moves ||
      record.zone !== said.zone ||
      Math.abs(record.capacity - said.capacity) > 0.01 * record.capacity ||
      !sameLabels(record.labels, said.labels)
    ) {
      const left = this.pools.get(record.pool);
      left?.leave(record);
      if (moves && left) this.changed(left);
      if (moves) record.lastLetIn = undefined;
      record.zone = said.zone;
      record.labels = said.labels;
      record.capacity = said.capacity;
      const joined = this.pool(said.pool);
      joined.join(record);
      this.changed(joined);
    }
    record.url = said.url;
    record.announced = said.state;
    record.periodMs = said.periodMs;
    hot[at + INVERSE_CAPACITY] = 1 / this.poolOf(record).counted(record.capacity);
    hot[at + LATE_AFTER] = LATE_PERIODS * said.periodMs;
    hot[at + STALE_AFTER] = Math.max(
      this.#settings.staleAfterMs,
      Math.min(LONGEST_STALE_MS, STALE_PERIODS * said.periodMs),
    );
  }

  changed(pool: Pool): void {
    pool.views.changed();
    this.version++;
  }
}
